"""One webhook: a JSON body, posted to a checked address.

Only the status of the answer is read, and redirects are not followed.
"""

import hashlib
import hmac
import json
import socket
import ssl
import time
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from dayops.alarm_delivery.messages import body
from dayops.alarm_delivery.public_address import NotAllowed, checked_addresses
from dayops.models import AlarmDelivery

_PORTS = {"http": 80, "https": 443}
_LONGEST_STATUS = 1024


class NotTaken(Exception):
    """The receiver did not take the message; the text says why."""


def send(delivery: AlarmDelivery, seconds: float) -> None:
    """Post it, all in `seconds` but for the resolver. Raises NotTaken in words."""
    deadline = time.monotonic() + seconds
    url = urlsplit(delivery.address)
    try:
        with _connected(url, deadline) as connection:
            connection.settimeout(_left(deadline))
            connection.sendall(_request(url, json.dumps(body(delivery)).encode()))
            _expect_success(_status(connection, deadline))
    except TimeoutError as error:
        raise NotTaken(f"{url.hostname} did not answer within {seconds:g} s") from error
    except NotAllowed as error:
        raise NotTaken(str(error)) from error
    except (OSError, ValueError) as error:
        raise NotTaken(f"{url.hostname} cannot be reached: {error}") from error


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(url: SplitResult, deadline: float) -> socket.socket:
    """A connection to a checked address of the host. Its name serves for the certificate; it is not looked up again."""
    if url.scheme not in _PORTS or not url.hostname:
        raise NotAllowed(f"only http and https are possible, not {url.scheme or 'nothing'}")
    port = url.port or _PORTS[url.scheme]
    connection = _first_that_connects(checked_addresses(url.hostname, port), port, deadline)
    if url.scheme == "http":
        return connection
    connection.settimeout(_left(deadline))
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=url.hostname)
    except BaseException:
        connection.close()
        raise


def _first_that_connects(addresses: list[str], port: int, deadline: float) -> socket.socket:
    *others, last = addresses
    for number, address in enumerate(others):
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=_left(deadline) / (len(addresses) - number))
    return socket.create_connection((last, port), timeout=_left(deadline))


def _request(url: SplitResult, content: bytes) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = [
        f"POST {target} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "User-Agent: DayOps",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]
    if settings.WEBHOOK_SECRET:
        headers.append(f"X-DayOps-Signature: sha256={signature(content)}")
    return "\r\n".join([*headers, "", ""]).encode("ascii") + content


def signature(content: bytes) -> str:
    """HMAC-SHA-256 of the body's bytes with DAYOPS_WEBHOOK_SECRET, in hex (RFC 2104)."""
    return hmac.new(settings.WEBHOOK_SECRET.encode(), content, hashlib.sha256).hexdigest()


def _status(connection: socket.socket, deadline: float) -> int:
    """The status of the answer; nothing after its first line is read."""
    line = b""
    while b"\n" not in line and len(line) < _LONGEST_STATUS:
        connection.settimeout(_left(deadline))
        received = connection.recv(_LONGEST_STATUS)
        if not received:
            break
        line += received
    words = line.split(b"\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise NotTaken("the answer was not HTTP")
    return int(words[1])


def _expect_success(status: int) -> None:
    if 300 <= status < 400:
        raise NotTaken(f"it answered {status}: redirects are not followed, so configure the final address")
    if not 200 <= status < 300:
        raise NotTaken(f"it answered {status}")
