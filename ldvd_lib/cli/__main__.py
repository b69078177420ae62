"""``python -m ldvd_lib.cli``."""

import sys

from ldvd_lib.cli import main

sys.exit(main())
