"""One e-mail about an alarm, through Django's mail settings."""

import smtplib

from django.core.mail import EmailMessage, get_connection

from dayops.alarm_delivery.messages import subject_line, text
from dayops.models import AlarmDelivery


class NotMailed(Exception):
    """The mail server did not take it; the message says why."""


def send(delivery: AlarmDelivery, seconds: float) -> None:
    """Send it; every step of the talk with the server has `seconds`. Raises NotMailed in words."""
    alarm = delivery.alarm
    message = EmailMessage(
        subject_line(alarm),
        text(alarm),
        to=[delivery.address],
        headers={"Message-ID": f"<alarm-{alarm.pk}-{delivery.pk}@dayops>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(timeout=seconds),
    )
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        raise NotMailed(f"the mail server did not take it: {error}") from error
