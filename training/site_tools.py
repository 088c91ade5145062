"""The parts of the site's build that training uses: its cache, npm packages, imagery and server."""

import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "site"
sys.path.insert(0, str(SITE))

from assembly import cache, fetch, imagery, server  # noqa: E402

__all__ = ["cache", "fetch", "imagery", "server"]
