"""Addresses are read from a real server, which asks for patience."""

import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pyapp.native import fetch as fetching
from pyapp.native.fetch import Files, NativeFetch
from pyapp.work.ports import StatusError, UnreachableError
from tests.work.fakes import run

AGENT = "test"


class Server:
    """Answers as it is told, one answer after the other; the last one stays."""

    def __init__(self):
        self.answers = [(200, {}, b"tile")]
        self.agents = []
        self.asked = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                server.agents.append(self.headers["User-Agent"])
                answers = server.answers
                status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/1/2/3.png"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    opened = Server()
    yield opened
    opened.close()


@pytest.fixture
def waits(monkeypatch):
    """How long was waited, in seconds; nobody really waits."""
    found = []

    async def sleep(seconds):
        found.append(seconds)

    class Clock:
        now = 100.0

        @classmethod
        def monotonic(cls):
            return cls.now + sum(found)

    monkeypatch.setattr(fetching.asyncio, "sleep", sleep)
    monkeypatch.setattr(fetching, "time", Clock)
    return found


def read(url, times=1, rate=1000.0, limit_s=10.0, files=None):
    async def work():
        async with NativeFetch(Files(files or {}), AGENT, rate) as fetch:
            return [await fetch(url, limit_s) for _ in range(times)]

    return run(work())


def test_a_body_arrives_and_the_reader_says_who_it_is(server):
    sizes = []

    async def work():
        async with NativeFetch(Files({}), AGENT) as fetch:
            return await fetch(server.address, 10.0, arrived=sizes.append)

    assert run(work()) == b"tile"
    assert server.agents == [AGENT] and sizes == [4]


def test_relative_addresses_are_files():
    assert read("models/a", files={"models/a": lambda: b"a"}) == [b"a"]
    with pytest.raises(StatusError) as told:
        read("models/b", files={"models/a": lambda: b"a"})
    assert told.value.status == 404


@pytest.mark.parametrize("status", [403, 404, 500])
def test_other_answers_are_told_at_once(server, status):
    server.answers = [(status, {}, b"<html>")]
    with pytest.raises(StatusError) as told:
        read(server.address)
    assert told.value.status == status and server.asked == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_patience_gets_it(server, waits, status):
    server.answers = [(status, {"Retry-After": "7"}, b"busy"), (200, {}, b"tile")]
    assert read(server.address, times=3) == [b"tile"] * 3
    assert max(waits) == pytest.approx(7, abs=0.01)
    assert server.asked == 4


def test_patience_may_be_asked_for_until_a_date(server, waits):
    until = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=30), usegmt=True)
    server.answers = [(429, {"Retry-After": until}, b"busy"), (200, {}, b"tile")]
    assert read(server.address) == [b"tile"]
    assert 20 < max(waits) <= 30


@pytest.mark.parametrize("said", [{}, {"Retry-After": "soon"}])
def test_a_server_that_does_not_say_for_how_long_gets_some_time(server, waits, said):
    server.answers = [(429, said, b"busy"), (200, {}, b"tile")]
    assert read(server.address) == [b"tile"]
    assert max(waits) == pytest.approx(fetching.WAIT_S, abs=0.01)


def test_patience_ends(server, waits):
    server.answers = [(429, {"Retry-After": "1"}, b"busy")]
    with pytest.raises(StatusError):
        read(server.address)
    assert server.asked == fetching.PATIENCE + 1
    server.asked, server.answers = 0, [(429, {"Retry-After": "9999"}, b"busy")]
    with pytest.raises(StatusError):
        read(server.address)
    assert server.asked == 1


def test_a_host_is_never_asked_faster_than_its_rate(server, waits):
    read(server.address, times=11, rate=2.0)
    assert sum(waits) == pytest.approx(5.0, abs=0.01)


def test_a_host_that_was_asked_too_much_is_asked_half_as_often(server, waits):
    server.answers = [(429, {"Retry-After": "0"}, b"busy"), (200, {}, b"tile")]
    read(server.address, times=10, rate=2.0)
    assert sum(waits) == pytest.approx(9.0, abs=1.01)


def test_no_server_is_out_of_reach(server):
    server.close()
    with pytest.raises(UnreachableError):
        read(server.address)
    server._server.server_close()


def test_a_server_that_says_nothing_takes_no_longer_than_the_limit():
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(TimeoutError):
            read(f"http://127.0.0.1:{silent.getsockname()[1]}/", limit_s=0.2)
