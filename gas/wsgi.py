"""The site for a WSGI server."""

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from gas import env

env.use_our_settings()
application = get_wsgi_application()
resolve("/")  # imports every view, before the first visitor waits for it
