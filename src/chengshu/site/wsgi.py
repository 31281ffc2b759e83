"""The WSGI application (served by granian: Django over WSGI is three times as fast as over ASGI)."""

import os
import threading

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chengshu.site.settings")
# Collected files are kept here where there are any; the finders serve the rest.
os.makedirs(settings.STATIC_ROOT, exist_ok=True)
application = get_wsgi_application()


def warm_up() -> None:
    """Load the address library, so that the first answer which names an address does not wait for it."""
    import structlog
    from django.db import DatabaseError, connection

    from chengshu.contexts.places import api as places

    try:
        places.match_address("创业一路1号")
    except DatabaseError:
        # An old schema or no database yet: /readyz says so; pages that need the library load it themselves.
        structlog.get_logger("chengshu.site").warning("library-not-warmed")
    finally:
        connection.close()


threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
