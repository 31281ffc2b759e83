"""The WSGI application (served by granian: Django over WSGI is three times as fast as over ASGI)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
application = get_wsgi_application()
