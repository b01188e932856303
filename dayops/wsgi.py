"""DayOps as a WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dayops.settings")
application = get_wsgi_application()
gc.collect()
gc.freeze()  # what was imported stays: a full collection over it would hold up a page for a tenth of a second
