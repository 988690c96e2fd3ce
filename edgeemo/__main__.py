"""``python -m edgeemo`` is the command line ``edgeemo``."""

import sys

from .cli import main

sys.exit(main())
