"""When a row that one worker may hold is free: the one place that says so."""

from django.db.models import Q
from django.db.models.functions import Now

#: Nobody holds it.
UNHELD = Q(lease_until=None)

#: Whoever held it has given no sign of life in time.
SILENT = Q(lease_until__lt=Now())

#: To be had, one way or the other.
FREE = UNHELD | SILENT
