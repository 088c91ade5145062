"""A static host as bare as can be, for a copy of the built site: it can change it and go away."""

import contextlib
import functools
import hashlib
import http.server
import json
import re
import shutil
import threading
import time
from pathlib import Path

from pyapp.core.model.listing import ListedModel

# The classes of the shipped model in groups.
TREE = {
    "built-up": {
        "residential area": ["dense residential area", "medium residential area",
                             "sparse residential area", "mobile home park"],
        "works and offices": ["buildings", "parking lot", "storage tanks"],
    },
    "transport": ["airplane", "freeway", "intersection", "overpass", "runway"],
    "open land": ["farmland", "forest", "chaparral", "golf course"],
    "water and shore": ["beach", "harbour", "river"],
    "sports grounds": ["baseball diamond", "tennis court"],
}  # fmt: skip


class Host:
    """A bare file server, as GitHub Pages is, with the site below a path.

    Attributes
    ----------
    site : Path
        The copy of the site.
    asked : list of str
        Paths that were asked for.
    headers : dict
        What it says besides, in place of its own.
    slow_s : float
        Seconds that the file of a model takes at least.
    """

    def __init__(self, dist: Path, folder: Path, port: int = 0):
        self.site = folder / "some" / "where"
        self.asked: list[str] = []
        shutil.copytree(dist, self.site)
        self.headers: dict[str, str] = {}
        self.slow_s = 0.0
        handler = type("Handler", (_Handler,), {"host": self})
        self._handler = functools.partial(handler, directory=str(folder))
        self._port = port
        self._server = None
        self.start()

    @property
    def port(self) -> int:
        """Where it listens, on the loopback address."""
        return self._port

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/some/where/"

    def start(self) -> None:
        """Be there."""
        if self._server is None:
            address = ("127.0.0.1", self._port)
            self._server = http.server.ThreadingHTTPServer(address, self._handler)
            self._port = self._server.server_port
            threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Be gone, as a network is in a cave."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def release(self, path: str, contents: bytes, sha256: str | None = None) -> None:
        """Publish a newer release in which one file differs; ``sha256`` for one that lies."""
        part = self._listing().get(path, {}).get("part", "rest")
        self._publish({path: contents}, part, sha256)

    def add_model(self, name: str, title: str, **facts) -> None:
        """Publish a newer release with one more model: the shipped one under another name.

        Parameters
        ----------
        name, title : str
        **facts
            What its card says instead of the shipped one's; ``None`` leaves a fact out.
        """
        shipped, own = self.site / "models/ucmerced", f"models/{name}"
        card = json.loads((shipped / "card.json").read_text())
        card |= {"name": name, "title": title} | facts
        card = {fact: value for fact, value in card.items() if value is not None}
        index = json.loads((self.site / "models/index.json").read_text())
        index["models"].append(ListedModel.of_card(card).to_json())
        files = {
            f"{own}/card.json": json.dumps(card).encode(),
            "models/index.json": json.dumps(index).encode(),
        }
        # What native onnxruntime says of some places holds for squares of the same ground only.
        if "footprint_m" not in facts:
            files[f"{own}/golden.json"] = (shipped / "golden.json").read_bytes()
        self._publish(files, "rest")
        self._publish({f"{own}/model.onnx": (shipped / "model.onnx").read_bytes()}, "extra")

    def add_far(self) -> None:
        """Publish a newer release with a model of squares of 400 m, to be used for research.

        It has a tree, levels, and no limit of familiarity.
        """
        self.add_model(
            "far",
            "Far",
            description="For coarse imagery.",
            footprint_m=400.0,
            resolution=208.3333,
            tree=TREE,
            levels={"top": 0.5, "group": 0.5, "class": 0.8},
            familiar=None,
            licence="research use only",
            training_data="pictures of elsewhere",
            use="research",
        )

    def _listing(self) -> dict:
        return json.loads((self.site / "files.json").read_text())

    def _publish(self, files: dict[str, bytes], part: str, sha256: str | None = None) -> None:
        listing = self._listing()
        for path, contents in files.items():
            file = self.site / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(contents)
            digest = sha256 or hashlib.sha256(contents).hexdigest()
            listing[path] = {"size": len(contents), "sha256": digest, "part": part}
        text = json.dumps(listing, indent=0)
        (self.site / "files.json").write_text(text)
        worker = self.site / "sw.js"
        new = f'RELEASE = "{hashlib.sha256(text.encode()).hexdigest()}"'
        worker.write_text(re.sub(r'RELEASE = "[0-9a-f]{64}"', new, worker.read_text()))


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and keeps a list of what was asked for."""

    def date_time_string(self, timestamp=None):
        usual = super().date_time_string(timestamp)
        return self.host.headers.get("Date", usual) if timestamp is None else usual

    def end_headers(self):
        for name, value in self.host.headers.items():
            if name != "Date":
                self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        self.host.asked.append(self.path)

    def copyfile(self, source, outputfile):
        """Send a file; one of a model as slowly as the host's ``slow_s`` says, in ten parts."""
        if not (self.host.slow_s and self.path.endswith(".onnx")):
            super().copyfile(source, outputfile)
            return
        contents = source.read()
        part = -(-len(contents) // 10)
        with contextlib.suppress(ConnectionError):
            for first in range(0, len(contents), part):
                outputfile.write(contents[first : first + part])
                time.sleep(self.host.slow_s / 10)
