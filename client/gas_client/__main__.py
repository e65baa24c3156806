"""`python -m gas_client` is `gas`."""

import sys

from gas_client.start import main

sys.exit(main())
