"""``python -m clusterf``."""

import sys

from clusterf.cli.main import main

sys.exit(main())
