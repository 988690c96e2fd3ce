"""``python -m edgeemo.cli``: an older name of ``python -m edgeemo``."""

import sys

from . import main

sys.exit(main())
