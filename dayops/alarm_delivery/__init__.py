"""Messages about alarms, by e-mail and webhook: sent by the scheduler, never by a job and never by a page.

1. Of every address, the oldest message that is due is taken; what a snooze silences is not due.
2. All are tried at once, each in a thread of its own, and each for `TRY_S` seconds at most: one address that hangs
   costs nobody else anything.
3. What was sent is SENT. What was not is tried again after a growing pause, and after `MOST_TRIES` it is FAILED, with
   the reason on the alarm's page.
4. While anything could be sent, once more from 1.

A process that ends between sending and writing it down sends twice: better twice than never. Receivers recognise a
message by its `delivery`.
"""

from dayops.alarm_delivery.rounds import DUTY_EVERY_S, MOST_TRIES, deliver

__all__ = ["DUTY_EVERY_S", "MOST_TRIES", "deliver"]
