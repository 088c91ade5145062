"""The real server on a small folder, and the real build from the user's cache."""

import http.client
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "site"))


@pytest.fixture
def folder(tmp_path):
    """A small site."""
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>hello</title>")
    (site / "app.mjs").write_text("export default 1;")
    (site / "digits.onnx").write_bytes(b"0123456789")
    (site / "sub" / "index.html").write_text("below")
    (site / ".hidden").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (site / "link.txt").symlink_to(tmp_path / "outside.txt")
    return site


class Client:
    """One connection to a server, kept open."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(self, path: str, method: str = "GET", **headers):
        """Status, headers and body of a reply; header names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, headers=named)
        reply = self._connection.getresponse()
        return reply.status, reply.headers, reply.read()

    @property
    def socket(self):
        return self._connection.sock


@pytest.fixture
def server(folder):
    from assembly.server import SiteServer

    running = SiteServer(folder, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def client(server):
    return Client(server.server_port)
