"""Messages about alarms reach real servers, hold nobody up, and go nowhere they should not."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from threading import Thread
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F

from dayops import alarms, environment, scheduler
from dayops.alarm_delivery import MOST_TRIES, deliver, mail, rounds
from dayops.alarm_delivery.messages import shown, subject_line
from dayops.alarm_delivery.public_address import is_public
from dayops.models import Alarm, AlarmDelivery, Event
from tests.dayops.receivers import Hanging, MailServer, Webhook, serving
from tests.work import DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def loopback_allowed(settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = [ip_network("127.0.0.1")]


@pytest.fixture
def webhook(settings, loopback_allowed) -> Iterator[Webhook]:
    with serving(Webhook()) as server:
        settings.ALARM_WEBHOOKS = [server.url]
        yield server


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    with serving(MailServer()) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.ALARM_EMAILS = ["shift@example.org"]
        yield server


def an_alarm(key: str = "noise", **fields: Any) -> Alarm:
    said: dict[str, Any] = {
        "sentence": "The noise is 31 e⁻.",
        "remedy": "Look at the cable.",
        "subject": "run:7",
        **fields,
    }
    return alarms.raise_alarm(key=key, name="noise", activity="calib", day_obs=DAY, **(said | fields))


def states() -> list[tuple[str, int]]:
    return list(AlarmDelivery.objects.order_by("id").values_list("state", "tries"))


def all_due_again() -> None:
    AlarmDelivery.objects.update(not_before=F("created_at") - timedelta(days=1))


def only() -> AlarmDelivery:
    return AlarmDelivery.objects.get()


class TestAWebhook:
    def test_gets_the_alarm_as_json_once(self, webhook, settings):
        settings.CSRF_TRUSTED_ORIGINS = ["https://dayops.example.org"]
        alarm = an_alarm()
        deliver()
        deliver()
        ((path, headers, content),) = webhook.received
        body = json.loads(content)
        assert path == "/hook?room=7"
        assert headers["Content-Type"] == "application/json"
        assert "X-DayOps-Signature" not in headers
        assert (body["sentence"], body["remedy"], body["severity"]) == (alarm.sentence, alarm.remedy, "ALARM")
        assert (body["alarm"], body["delivery"], body["cleared_at"]) == (alarm.pk, only().pk, None)
        assert body["url"] == f"https://dayops.example.org/2026-11-22/alarms/{alarm.pk}/"
        assert only().state == "SENT"
        assert only().sent_at is not None

    def test_can_check_who_sent_it(self, webhook, settings):
        settings.WEBHOOK_SECRET = "between us"
        an_alarm()
        deliver()
        ((_, headers, content),) = webhook.received
        wanted = hmac.new(b"between us", content, hashlib.sha256).hexdigest()
        assert headers["X-DayOps-Signature"] == f"sha256={wanted}"

    def test_that_fails_is_tried_again_after_a_growing_pause(self, webhook):
        webhook.status = 500
        an_alarm()
        deliver()
        assert states() == [("WAITING", 1)]
        assert only().error == "it answered 500"
        deliver()  # not due yet
        assert states() == [("WAITING", 1)]
        pauses = []
        for _ in range(3):
            all_due_again()
            deliver()
            pauses.append(round((only().not_before - datetime.now(UTC)).total_seconds(), -1))
        assert pauses == [20, 40, 80]
        webhook.status = 204
        all_due_again()
        deliver()
        assert states() == [("SENT", 5)]
        assert only().error == ""

    def test_that_fails_too_often_is_given_up_and_that_is_told(self, webhook):
        webhook.status = 503
        alarm = an_alarm()
        for _ in range(MOST_TRIES + 1):
            all_due_again()
            deliver()
        assert states() == [("FAILED", MOST_TRIES)]
        event = Event.objects.get(kind="alarm.undelivered")
        assert event.subject == f"alarm:{alarm.pk}"
        assert "it answered 503" in event.text
        assert "hook" not in event.text.replace("webhook", "")

    def test_is_not_followed_elsewhere(self, webhook):
        webhook.status = 302
        an_alarm()
        deliver()
        assert "redirects are not followed" in only().error
        assert [path for path, _, _ in webhook.received] == ["/hook?room=7"]

    @pytest.mark.parametrize("answer", [b"", b"\r\n", b"SSH-2.0 hello\r\n", b"HTTP/1.1 fine\r\n", b"x" * 5000])
    def test_that_does_not_speak_http_is_refused(self, settings, loopback_allowed, answer):
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.ALARM_WEBHOOKS = [f"http://127.0.0.1:{server.getsockname()[1]}/"]
            an_alarm()
            thread = Thread(target=_answer_with, args=(server, answer))
            thread.start()
            deliver()
            thread.join()
        assert "not HTTP" in only().error or "cannot be reached" in only().error

    def test_that_nobody_serves_says_so(self, settings, loopback_allowed):
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.ALARM_WEBHOOKS = [f"http://127.0.0.1:{server.getsockname()[1]}/"]
        an_alarm()
        deliver()
        assert only().error.startswith("127.0.0.1 cannot be reached")

    def test_of_https_asks_for_a_certificate(self, webhook, settings):
        settings.ALARM_WEBHOOKS = [webhook.url.replace("http:", "https:")]
        an_alarm()
        deliver()
        assert "cannot be reached" in only().error
        assert webhook.received == []


def _answer_with(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


class TestHanging:
    def test_holds_up_neither_the_others_nor_the_round(self, webhook, mail_server, settings, monkeypatch):
        monkeypatch.setattr(rounds, "TRY_S", 0.5)
        with serving(Hanging()) as hanging:
            settings.ALARM_WEBHOOKS = [hanging.url, webhook.url]
            an_alarm("one")
            an_alarm("two")
            deliver()
        assert len(webhook.received) == len(mail_server.received) == 2
        hung = AlarmDelivery.objects.filter(address=hanging.url)
        assert {(row.state, row.tries) for row in hung} == {("WAITING", 1)}
        assert all("did not answer within" in row.error or "no answer within" in row.error for row in hung)

    def test_of_the_mail_server_or_the_resolver_ends_with_the_time_limit(self, settings, monkeypatch):
        monkeypatch.setattr(rounds, "TRY_S", 0.3)
        with serving(Hanging()) as hanging:
            settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", hanging.server_address[1]
            settings.ALARM_EMAILS = ["shift@example.org"]
            an_alarm()
            deliver()
        assert "no answer within" in only().error


class TestWhereAWebhookMayLead:
    @pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://0:1/"])
    def test_a_private_address_is_refused_before_anything_is_sent(self, settings, url):
        settings.ALARM_WEBHOOKS = [url]
        an_alarm()
        deliver()
        assert "not a public address" in only().error
        assert "DAYOPS_WEBHOOK_PRIVATE_ADDRESSES" in only().error

    def test_every_address_of_a_host_is_checked(self, settings, monkeypatch):
        resolved = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("169.254.169.254", 80))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved)
        settings.ALARM_WEBHOOKS = ["http://metadata.example.org/"]
        an_alarm()
        deliver()
        assert "169.254.169.254" in only().error

    def test_a_host_is_resolved_once_and_connected_where_it_was_checked(self, webhook, settings, monkeypatch):
        asked = []

        def resolve(host: str, port: int, *_: object, **__: object):
            asked.append(host)
            if host == "rebinding.example.org" and len(asked) > 1:
                return [(2, 1, 6, "", ("10.0.0.1", port))]
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        settings.ALARM_WEBHOOKS = [f"http://rebinding.example.org:{webhook.server_port}/"]
        an_alarm()
        deliver()
        assert asked.count("rebinding.example.org") == 1
        ((_, headers, _),) = webhook.received
        assert headers["Host"] == f"rebinding.example.org:{webhook.server_port}"

    def test_a_password_in_an_address_is_not_told_as_the_host(self, webhook, settings):
        settings.ALARM_WEBHOOKS = [f"http://dayops:secret@127.0.0.1:{webhook.server_port}/"]
        an_alarm()
        deliver()
        ((_, headers, _),) = webhook.received
        assert headers["Host"] == f"127.0.0.1:{webhook.server_port}"

    @pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"])
    def test_the_public_internet_is_allowed(self, address):
        assert is_public(ip_address(address))

    @pytest.mark.parametrize(
        "address",
        [
            *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"),  # noqa: S104
            *("192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
            *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1"),
            *("::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001::1"),
        ],
    )
    def test_whatever_else_there_is_is_refused(self, address):
        assert not is_public(ip_address(address))


class TestMail:
    def test_reaches_a_real_server(self, mail_server):
        alarm = an_alarm(sentence="The noise is 31 e⁻,\nthrice the usual.")
        deliver()
        (message,) = mail_server.received
        assert "To: shift@example.org" in message
        assert f"Message-ID: <alarm-{alarm.pk}-{only().pk}@dayops>" in message
        assert only().state == "SENT"

    def test_says_what_is_wrong_and_what_to_do(self, settings, mailoutbox):
        settings.ALARM_EMAILS = ["shift@example.org"]
        alarm = an_alarm()
        deliver()
        (message,) = mailoutbox
        assert message.subject == "[DayOps] ALARM The noise is 31 e⁻."
        for part in (alarm.sentence, "What to do: Look at the cable.", "dayObs 2026-11-22", "seen 1 time\n", "run:7"):
            assert part in message.body

    def test_that_comes_too_late_says_that_it_is_over(self, settings, mailoutbox):
        settings.ALARM_EMAILS = ["shift@example.org"]
        alarm = an_alarm()
        alarms.clear(alarm.key, why="")
        deliver()
        assert mailoutbox[0].subject.startswith("[DayOps] over: ALARM")
        assert "Over since" in mailoutbox[0].body

    def test_that_the_server_refuses_keeps_its_reason(self, mail_server, settings):
        settings.ALARM_EMAILS = ["nobody@example.org"]
        an_alarm()
        deliver()
        assert "nobody here" in only().error
        assert states() == [("WAITING", 1)]

    def test_has_one_line_as_its_subject_and_not_too_long_a_one(self):
        alarm = Alarm(sentence="a\nBcc: all@example.org " + "x" * 300, severity="WARN")
        assert "\n" not in subject_line(alarm)
        assert len(subject_line(alarm)) == 150


class TestRounds:
    def test_a_snoozed_alarm_sends_nothing_until_the_snooze_is_over(self, webhook):
        alarm = an_alarm()
        alarms.snooze(alarm.pk, actor="olivia", reason="known", until=datetime.now(UTC) + timedelta(hours=1))
        deliver()
        assert webhook.received == []
        Alarm.objects.update(snoozed_until=F("raised_at") - timedelta(seconds=1))
        deliver()
        assert len(webhook.received) == 1

    def test_many_alarms_leave_in_the_order_they_came(self, webhook):
        keys = [an_alarm(str(number)).key for number in range(5)]
        deliver()
        assert [json.loads(content)["key"] for _, _, content in webhook.received] == keys

    def test_what_breaks_one_message_does_not_break_the_round(self, webhook, settings, monkeypatch):
        def broken(delivery: AlarmDelivery, seconds: float) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(mail, "send", broken)
        settings.ALARM_EMAILS = ["shift@example.org"]
        an_alarm()
        deliver()
        assert sorted(states()) == [("SENT", 1), ("WAITING", 1)]
        assert AlarmDelivery.objects.get(channel="email").error == "ZeroDivisionError"

    def test_the_scheduler_delivers(self):
        assert scheduler._duties["alarm messages"].function is deliver


def test_people_see_a_webhooks_host_but_not_its_secret_path():
    delivery = AlarmDelivery(channel="webhook", address="https://chat.example.org/hooks/s3cret?token=1")
    assert shown(delivery) == "https://chat.example.org/…"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.org/", "is no http"),
        ("example.org/hook", "is no http"),
        ("http://", "is no http"),
        ("http://example.org/a b", "is no http"),
        ("http://example.org/ü", "is no http"),
        ("http://example.org:99999/", "is no http"),
        ("https://olivia:secret@example.org/", "carries a password"),
    ],
)
def test_a_site_does_not_start_with_a_webhook_that_cannot_work(monkeypatch, url, sentence):
    monkeypatch.setenv("HOOKS", url)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        environment.web_addresses("HOOKS")


def test_a_site_names_addresses_and_networks(monkeypatch):
    monkeypatch.setenv("ALLOWED", "127.0.0.1, 10.20.0.0/16")
    assert environment.networks("ALLOWED") == [ip_network("127.0.0.1"), ip_network("10.20.0.0/16")]
    monkeypatch.setenv("ALLOWED", "10.20.0.1/16")
    with pytest.raises(ImproperlyConfigured, match="expected such as"):
        environment.networks("ALLOWED")
