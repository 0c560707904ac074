"""`python -m infogan_metrics` is the command `infogan-metrics`."""

import sys

from infogan_metrics.command import main

sys.exit(main())
