"""Real servers on loopback that receive messages about alarms, each in its own manner."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, TypeVar

S = TypeVar("S", bound=socketserver.BaseServer)


class _Web(BaseHTTPRequestHandler):
    server: "Webhook"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), content))
        self.send_response(self.server.status)
        if 300 <= self.server.status < 400:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *values: Any) -> None:
        pass


class Webhook(ThreadingHTTPServer):
    """Answers `status`; `received` are the path, headers and body of each request."""

    daemon_threads = True
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Web)
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook?room=7"


class _Drip(socketserver.BaseRequestHandler):
    server: "Hanging"

    def handle(self) -> None:
        """Take the request and answer a letter now and then, for ever: no single wait is ever long."""
        while not self.server.released.wait(0.05):
            try:
                self.request.sendall(b"H")
            except OSError:
                return


class Hanging(socketserver.ThreadingTCPServer):
    """Takes every connection and never comes to an end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Drip)
        self.released = Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    def shutdown(self) -> None:
        self.released.set()
        super().shutdown()


class _Smtp(socketserver.StreamRequestHandler):
    server: "MailServer"

    def handle(self) -> None:
        self.say("220 test")
        for line in self.rfile:
            command = line.strip().upper()
            if command == b"DATA":
                self.say("354 go on")
                self.server.received.append(self.message())
                self.say("250 kept")
            elif command == b"QUIT":
                return self.say("221 bye")
            elif command.startswith(b"RCPT"):
                self.say("550 nobody here" if b"NOBODY" in command else "250 ok")
            else:
                self.say("250 ok")
        return None

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def message(self) -> str:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines).decode()


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail for anyone but nobody@ (RFC 5321, as little of it as a client needs)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.received: list[str] = []
        self.port = self.server_address[1]


@contextmanager
def serving(server: S) -> Iterator[S]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
