"""``python -m tests.bench`` measures: `tests.bench.run` says what.

Like ``python -m tests``, it first creates the virtual environment and finds a browser.
"""

import subprocess
import sys

from tests.__main__ import PYTHON, ROOT, inside, name_chromium, prepare


def main() -> int:
    """Set up and continue inside the virtual environment, which may be where it was started."""
    if not inside():
        prepare()
        return subprocess.call([str(PYTHON), "-m", "tests.bench", *sys.argv[1:]], cwd=ROOT)
    name_chromium()
    from tests.bench import run

    return run.main()


if __name__ == "__main__":
    sys.exit(main())
