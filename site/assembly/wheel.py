"""Puts what the command needs into its wheel: the models, and the list of imagery.

Hatchling loads this file by its path, so nothing else of the build is on its path yet.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[2]
DATA = "pyapp/native/data"
SUFFIXES = {".json", ".onnx"}


class DataHook(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    PLUGIN_NAME = "lookdown"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to put in, each with its place in the wheel."""
        sys.path.insert(0, str(ROOT / "site"))
        from assembly import imagery

        listed = ROOT / "build" / "sources.json"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text(imagery.online_sources(), encoding="utf-8")
        forced = build_data["force_include"]
        forced[str(listed)] = f"{DATA}/imagery/sources.json"
        for file in (ROOT / "models").rglob("*"):
            if file.suffix in SUFFIXES:
                forced[str(file)] = f"{DATA}/{file.relative_to(ROOT).as_posix()}"
