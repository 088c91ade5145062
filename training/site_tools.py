"""The site's build, whose cache, npm packages and server training shares."""

import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "site"
sys.path.insert(0, str(SITE))

from assembly import cache, fetch, imagery, server  # noqa: E402

__all__ = ["cache", "fetch", "imagery", "server"]
