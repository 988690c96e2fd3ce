"""``python -m edgeemo.cli`` is ``edgeemo``."""

import sys

from . import main

sys.exit(main())
