"""`gunicorn dev.faults.wsgi`: the site, with faults at its steps."""

from dev.faults.steps import plant
from gas.wsgi import application

__all__ = ["application"]

plant("site")
