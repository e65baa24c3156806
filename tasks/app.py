"""The Celery application of the pipeline."""

import django
from celery import Celery
from django.apps import apps

from gas import env
from tasks import transport

env.use_our_settings()
if not apps.ready:
    django.setup()

transport.register()
app = Celery("gas", task_cls="tasks.delays:DurableTask")
app.config_from_object("celeryconfig")
