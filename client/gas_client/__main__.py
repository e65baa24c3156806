"""`python -m gas_client` is `gas`."""

import sys

from gas_client.cli.main import run

sys.exit(run())
