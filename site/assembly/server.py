"""A static file server for this machine: media types, caching, ranges, compression, isolation."""

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
CHUNK = 1 << 16
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".toml": "text/plain; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".zip": "application/zip",
    ".whl": "application/zip",
}
ALWAYS = {
    # Together they isolate the page, which threads need; pictures from other sites still load.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "credentialless",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
NOTHING = b"There is nothing here.\n"
Variants = Mapping[str, Mapping[str, Path]]
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class SiteServer(ThreadingHTTPServer):
    """Serves one folder on the loopback address.

    Parameters
    ----------
    folder : Path
    port : int
        0 for any free one.
    compressed : dict of str to dict of str to Path, optional
        Path in the site to its variants, ``{"br": file, "gzip": file}``.
    verbose : bool
        Print one line per request.

    Raises
    ------
    OSError
        If the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = os.name != "nt"

    def __init__(
        self, folder: Path, port: int, compressed: Variants | None = None, verbose: bool = False
    ):
        self.folder = folder.resolve()
        self.compressed = compressed or {}
        self.verbose = verbose
        self._etags: dict[tuple[Path, int, int], str] = {}
        super().__init__((HOST, port), Handler)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"

    def file_at(self, target: str) -> Path | None:
        """The file that a request's target names.

        ``None`` if there is none, or if it is outside the folder, hidden, or a folder without a
        page: contents of folders are not listed.
        """
        path = unquote(urlsplit(target).path)
        if "\\" in path or "\0" in path:
            return None
        parts = [part for part in path.split("/") if part]
        if any(part.startswith(".") for part in parts):
            return None
        file = self.folder.joinpath(*parts)
        if path.endswith("/"):
            file /= "index.html"
        with contextlib.suppress(OSError):
            real = file.resolve(strict=True)
            if real.is_file() and real.is_relative_to(self.folder):
                return real
        return None

    def etag_of(self, file: Path) -> str:
        """A strong entity tag for a file's contents."""
        facts = file.stat()
        key = (file, facts.st_size, facts.st_mtime_ns)
        if key not in self._etags:
            self._etags[key] = f'"{hashlib.sha256(file.read_bytes()).hexdigest()[:32]}"'
        return self._etags[key]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, except a client that hangs up."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    server: SiteServer
    protocol_version = "HTTP/1.1"
    server_version = "Lookdown"
    sys_version = ""

    def do_GET(self) -> None:
        """Send the file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send the headers that GET would."""
        self._answer(with_body=False)

    def _refuse_method(self) -> None:
        self.close_connection = True
        self._head(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD", "Content-Length": "0"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse_method  # noqa: N815

    def _answer(self, with_body: bool) -> None:
        file = self.server.file_at(self.path)
        if file is None:
            self._head(HTTPStatus.NOT_FOUND, {
                "Content-Type": "text/plain", "Content-Length": str(len(NOTHING))
            })  # fmt: skip
            if with_body:
                self.wfile.write(NOTHING)
            return
        headers = {"Content-Type": TYPES.get(file.suffix, "application/octet-stream")}
        asked = self.headers.get("Range")
        body, coding = (file, None) if asked else self._smallest(file)
        if not asked and self._variants(file):
            headers["Vary"] = "Accept-Encoding"
        if coding:
            headers["Content-Encoding"] = coding
        tag = self.server.etag_of(body)
        headers["ETag"] = tag
        if _names(self.headers.get("If-None-Match"), tag):
            self._head(HTTPStatus.NOT_MODIFIED, headers)
            return
        headers["Accept-Ranges"] = "bytes"
        size = body.stat().st_size
        first, last, status = 0, size - 1, HTTPStatus.OK
        if asked and self.headers.get("If-Range", tag) == tag and _RANGE.match(asked):
            first, last = _span(asked, size)
            status = HTTPStatus.PARTIAL_CONTENT
            if first > last:
                headers["Content-Range"] = f"bytes */{size}"
                headers["Content-Length"] = "0"
                self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
                return
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        headers["Content-Length"] = str(last - first + 1)
        self._head(status, headers)
        if with_body:
            self._send(body, first, last - first + 1)

    def _variants(self, file: Path) -> Mapping[str, Path]:
        return self.server.compressed.get(file.relative_to(self.server.folder).as_posix(), {})

    def _smallest(self, file: Path) -> tuple[Path, str | None]:
        """The smallest variant that the client accepts, and its content coding."""
        accepted = _codings(self.headers.get("Accept-Encoding", ""))
        offers = {name: each for name, each in self._variants(file).items() if name in accepted}
        if not offers:
            return file, None
        name = min(offers, key=lambda each: offers[each].stat().st_size)
        return offers[name], name

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (ALWAYS | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, file: Path, start: int, count: int) -> None:
        with file.open("rb") as opened:
            opened.seek(start)
            while count > 0 and (chunk := opened.read(min(CHUNK, count))):
                self.wfile.write(chunk)
                count -= len(chunk)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log a request if the server is verbose."""
        if self.server.verbose:
            super().log_message(format, *arguments)


def _names(header: str | None, tag: str) -> bool:
    """Whether an If-None-Match header names a tag: RFC 9110, 13.1.2, weak comparison."""
    if header is None:
        return False
    tags = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in tags or tag in tags


def _codings(header: str) -> set[str]:
    """The content codings that an Accept-Encoding header accepts: RFC 9110, 12.5.3."""
    accepted = set()
    for each in header.split(","):
        name, _, rest = each.strip().partition(";")
        quality = re.search(r"q=(\d(?:\.\d*)?)", rest)
        if name and (quality is None or float(quality[1]) > 0):
            accepted.add(name.strip().lower())
    return accepted


def _span(header: str, size: int) -> tuple[int, int]:
    """First and last byte of a single range: RFC 9110, 14.1.2; first > last if it is empty."""
    start, end = header.removeprefix("bytes=").split("-")
    if not start:
        return (max(0, size - int(end)), size - 1) if end and int(end) else (1, 0)
    return int(start), min(int(end), size - 1) if end else size - 1
