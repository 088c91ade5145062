"""``python serve.py``: build the page once, then serve it on this machine.

    python serve.py               serve it and open the browser
    python serve.py --no-open     serve it
    python serve.py --build DIR   write the static site to DIR, for any host, and end

Needs only the standard library, and npm or pip the first time.
"""

import argparse
import contextlib
import sys
import threading
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "site"))

from assembly.build import build, compressed  # noqa: E402
from assembly.errors import SetupError  # noqa: E402
from assembly.server import HOST, SiteServer  # noqa: E402

PORT = 8000
TRIES = 50
QUALITY = 4  # of brotli


def main() -> int:
    """Do what the command line says; 0 if it succeeded."""
    if sys.version_info < (3, 10):  # noqa: UP036  (a sentence instead of a syntax error)
        sys.exit("Lookdown needs Python 3.10 or newer.")
    options = parse()
    try:
        out = options.build or ROOT / "dist"
        build(out)
        if options.build:
            print(f"The site is in {out}: put that folder on any static host.")
            return 0
        serve(out, options)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build the page and serve it.")
    parser.add_argument("--build", type=Path, metavar="DIR", help="write the site to DIR and end")
    parser.add_argument("--port", type=int, default=PORT, help="first port to try (%(default)s)")
    parser.add_argument("--no-open", action="store_true", help="do not open the browser")
    parser.add_argument("--verbose", action="store_true", help="print one line per request")
    return parser.parse_args()


def serve(folder: Path, options: argparse.Namespace) -> None:
    """Serve a built site until Ctrl-C."""
    server = listen(folder, options)
    # Nothing waits for the compressed variants: until they are there, files are sent as they are.
    threading.Thread(target=compress, args=(server, folder), daemon=True).start()
    print(f"Lookdown is at {server.address} (Ctrl-C ends it)", flush=True)
    if not options.no_open:
        webbrowser.open(server.address)
    with server:
        server.serve_forever()


def compress(server: SiteServer, folder: Path) -> None:
    """Give the server compressed variants of its files, at a quality that takes seconds."""
    with contextlib.suppress(SetupError, OSError):
        server.compressed = compressed(folder, QUALITY)


def listen(folder: Path, options: argparse.Namespace) -> SiteServer:
    """A server on the wanted port, or on the next free one.

    Raises
    ------
    SetupError
        If none is free.
    """
    for port in range(options.port, options.port + TRIES):
        try:
            return SiteServer(folder, port, verbose=options.verbose)
        except OSError:
            continue
    last = options.port + TRIES - 1
    raise SetupError(
        f"No port from {options.port} to {last} is free on {HOST}. Choose another with --port."
    )


if __name__ == "__main__":
    sys.exit(main())
