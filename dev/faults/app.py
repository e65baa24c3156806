"""`celery -A dev.faults.app`: the pipeline's application, with faults at its steps."""

import sys

from dev.faults.clock import deceive
from dev.faults.patience import shorten
from dev.faults.steps import plant
from tasks import app

__all__ = ["app"]

app.loader.import_default_modules()
deceive()
shorten()
plant("beat" if "beat" in sys.argv else "worker")
