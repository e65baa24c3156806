"""Django, ready for whoever imports models after this."""

import django

from gas import env

env.use_our_settings()
django.setup()

READY = True
