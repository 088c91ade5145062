import socket

import pytest

from tests.serve.conftest import Client


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.html", "text/html"),
        ("a.mjs", "text/javascript"),
        ("a.js", "text/javascript"),
        ("a.css", "text/css"),
        ("a.wasm", "application/wasm"),
        ("a.json", "application/json"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.svg", "image/svg+xml"),
        ("a.jpg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.onnx", "application/octet-stream"),
    ],
)
def test_media_types(folder, client, name, media_type):
    (folder / name).write_bytes(b"x")
    assert client.ask("/" + name)[1]["Content-Type"].split(";")[0] == media_type


def test_the_page_is_isolated_and_its_types_are_final(client):
    for path in ("/", "/app.mjs", "/nowhere"):
        headers = client.ask(path)[1]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "credentialless"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_what_has_not_changed_is_not_sent_again(folder, client):
    status, headers, body = client.ask("/app.mjs")
    tag = headers["ETag"]
    assert (status, body) == (200, b"export default 1;")
    for names in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        status, headers, body = client.ask("/app.mjs", If_None_Match=names)
        assert (status, body, headers["ETag"]) == (304, b"", tag)
    assert client.ask("/app.mjs", If_None_Match='"other"')[0] == 200
    (folder / "app.mjs").write_text("export default 2;")
    assert client.ask("/app.mjs", If_None_Match=tag)[0] == 200


@pytest.mark.parametrize(
    ("asked", "status", "body", "span"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("pages=1-2", 200, b"0123456789", None),
        ("bytes=a-b", 200, b"0123456789", None),
        ("bytes=-", 416, b"", "bytes */10"),
    ],
)
def test_byte_ranges(client, asked, status, body, span):
    found = client.ask("/digits.onnx", Range=asked)
    assert (found[0], found[2], found[1]["Content-Range"]) == (status, body, span)


def test_a_range_of_a_changed_file_is_the_whole_file(client):
    tag = client.ask("/digits.onnx")[1]["ETag"]
    assert client.ask("/digits.onnx", Range="bytes=0-1", If_Range=tag)[0] == 206
    assert client.ask("/digits.onnx", Range="bytes=0-1", If_Range='"old"')[0] == 200


def test_head_is_get_without_a_body(client):
    got, told = client.ask("/digits.onnx"), client.ask("/digits.onnx", method="HEAD")
    assert told[2] == b""
    for name in ("Content-Length", "ETag", "Content-Type"):
        assert told[1][name] == got[1][name]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(client, method):
    status, headers, _ = client.ask("/index.html", method=method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/sub/../../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/..%5coutside.txt",
        "//etc/passwd",
        "/link.txt",
        "/.hidden",
        "/sub/.%00",
        "/%00",
        "/nowhere",
        "/sub",
    ],
)
def test_nothing_outside_the_folder_nor_hidden_is_served(client, path):
    status, _, body = client.ask(path)
    assert status == 404
    assert b"secret" not in body


def test_a_folder_gives_its_index(client):
    assert client.ask("/")[2].startswith(b"<!doctype html>")
    assert client.ask("/sub/")[2] == b"below"
    assert client.ask("/?imagery=esri")[0] == 200


def test_one_connection_serves_many_requests(client):
    client.ask("/")
    first = client.socket
    client.ask("/nowhere")
    client.ask("/digits.onnx", Range="bytes=99-")
    client.ask("/")
    assert client.socket is first is not None


def test_a_client_that_hangs_up_does_no_harm(folder, server, client, capfd):
    (folder / "large.bin").write_bytes(bytes(8_000_000))
    with socket.create_connection(("127.0.0.1", server.server_port)) as rude:
        rude.sendall(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        rude.recv(1000)
    assert client.ask("/")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def packed(folder, tmp_path, server):
    """A file with two variants, the brotli one the smaller."""
    text = b"x" * 1000
    (folder / "text.css").write_bytes(text)
    br, gz = tmp_path / "t.br", tmp_path / "t.gz"
    br.write_bytes(b"br!")
    gz.write_bytes(b"gzip!")
    server.compressed = {"text.css": {"br": br, "gzip": gz}}
    return Client(server.server_port)


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("br, gzip", "br", b"br!"),
        ("gzip, deflate", "gzip", b"gzip!"),
        ("gzip;q=0.5, br;q=0", "gzip", b"gzip!"),
        ("gzip;q=.., br;q=x", "br", b"br!"),
        ("BR", "br", b"br!"),
        ("identity", None, b"x" * 1000),
        ("", None, b"x" * 1000),
    ],
)
def test_the_smallest_variant_that_the_client_takes(packed, accepted, coding, body):
    _, headers, sent = packed.ask("/text.css", Accept_Encoding=accepted)
    assert (headers["Content-Encoding"], sent) == (coding, body)
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Content-Type"].startswith("text/css")


def test_variants_have_tags_of_their_own_and_ranges_are_of_the_file(packed):
    tags = {packed.ask("/text.css", Accept_Encoding=each)[1]["ETag"] for each in ("br", "gzip", "")}
    assert len(tags) == 3
    status, headers, body = packed.ask("/text.css", Accept_Encoding="br", Range="bytes=0-3")
    assert (status, headers["Content-Encoding"], body) == (206, None, b"xxxx")
