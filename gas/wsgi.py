"""The site for a WSGI server."""

from django.core.wsgi import get_wsgi_application

from gas import env

env.use_our_settings()
application = get_wsgi_application()
