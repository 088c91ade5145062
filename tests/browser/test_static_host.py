"""The built site on a bare file server, below a path: what GitHub Pages is."""

import functools
import http.server
import shutil
import threading

import pytest


@pytest.fixture
def bare_host(dist, tmp_path):
    """The address of the site under ``/some/where/``, from a server that only has files."""
    shutil.copytree(dist, tmp_path / "some" / "where")
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: 0})
    serve = functools.partial(handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/some/where/"
        server.shutdown()


def test_it_works_without_headers_and_below_a_path(open_page, bare_host):
    page = open_page(ready=False)
    page.site = bare_host
    page.open("#map=17/27.63392/85.51832")
    assert page.tab.evaluate("crossOriginIsolated") is False
    assert page.classify().label == "intersection"
    assert page.tab.evaluate("location.pathname") == "/some/where/"
    answered = [url for url in page.asked if url.startswith(bare_host)]
    assert len(answered) > 20
