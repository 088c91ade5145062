"""Another site with tiles: a real server on another port, which can misbehave."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class TileServer:
    """Serves ``{z}/{x}/{y}.jpg`` from a folder.

    Attributes
    ----------
    mood : str
        ``well``, or how it misbehaves: ``missing`` (404), ``refusing`` (403), ``html`` (a page
        instead of a picture), ``short`` (half a picture), ``slow`` (never finishes), ``no-cors``
        (without the header that lets a page read), ``failing once`` (503 for the first time).
    instead : bytes or None
        What is sent instead of any tile.
    headers : dict of str to str
        Further headers of every answer.
    asked : list of str
        Paths that were asked for.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.mood = "well"
        self.instead: bytes | None = None
        self.headers = {"Cache-Control": "no-store"}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._closing = threading.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def template(self) -> str:
        return self.origin + "/{z}/{x}/{y}.jpg"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str) -> tuple[int, bytes]:
        if self.mood == "failing once" and self.asked.count(path) == 1:
            return 503, b"busy"
        if self.instead is not None:
            return 200, self.instead
        file = self.folder / path.lstrip("/")
        if self.mood == "missing" or not file.is_file():
            return 404, b"no such tile"
        if self.mood == "refusing":
            return 403, b"no"
        if self.mood == "html":
            return 200, b"<!doctype html><title>Sign in</title>"
        data = file.read_bytes()
        return 200, data[: len(data) // 2] if self.mood == "short" else data

    def _handler(self):
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                if site.mood == "slow":
                    site._closing.wait(120)
                status, body = site._answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("Content-Length", str(len(body)))
                for name, value in site.headers.items():
                    self.send_header(name, value)
                if site.mood != "no-cors":
                    self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
