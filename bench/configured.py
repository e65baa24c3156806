"""Django, set up for whatever is imported after this."""

import django
from django.apps import apps

from gas import env

env.use_our_settings()
if not apps.ready:
    django.setup()

READY = True
