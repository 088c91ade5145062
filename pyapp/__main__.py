"""``python -m pyapp``: the command ``lookdown``, in a clone."""

import sys

from pyapp.native.command import main

if __name__ == "__main__":
    sys.exit(main())
