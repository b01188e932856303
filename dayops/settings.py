"""Settings, read from the environment once. `docs/deployment.md` lists every variable.

Two ways to run: *embedded* (no DATABASE_URL: `dayops.embedded` starts PostgreSQL and Valkey for this machine, secrets
are made and kept in the state folder) and *site* (DATABASE_URL and REDIS_URL given: nothing embedded starts, and every
secret must be given too).
"""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from dayops import embedded
from dayops.environment import (
    database_settings,
    flag,
    host_list,
    networks,
    plotly_folder,
    secret_key,
    web_addresses,
)

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = embedded.writable(embedded.state_dir())
EMBEDDED = "DATABASE_URL" not in os.environ
TESTING = "pytest" in sys.modules

DATABASE_URL = os.environ.get("DATABASE_URL") or embedded.database_url(STATE_DIR)
REDIS_URL = os.environ.get("REDIS_URL") or embedded.redis_url(STATE_DIR)
if not EMBEDDED and "REDIS_URL" not in os.environ:
    raise ImproperlyConfigured("DATABASE_URL is set but REDIS_URL is not: set both, or neither to run embedded.")

DEBUG = False
SECRET_KEY = secret_key(STATE_DIR, embedded=EMBEDDED)
ALLOWED_HOSTS = host_list("DAYOPS_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = host_list("DAYOPS_ORIGINS", default=[])

INSTALLED_APPS = [
    "dayops.apps.DayopsConfig",
    "dayops.level1.apps.Level1Config",
    "calib.apps.CalibConfig",
    "mops.apps.MopsConfig",
    "precovery.apps.PrecoveryConfig",
    "smoketest.apps.SmoketestConfig",
    "dayops.web.apps.MaintainerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
]

MIDDLEWARE = [
    "dayops.web.middleware.DatabaseAway",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dayops.web.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dayops.web.middleware.TokenAuthentication",
    "dayops.web.middleware.SignInRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "dayops.urls"
WSGI_APPLICATION = "dayops.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dayops.web.context.page",
            ],
            "builtins": ["dayops.templatetags.dayops"],
        },
    },
]

DATABASES = {"default": database_settings(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
CSRF_FAILURE_VIEW = "dayops.web.errors.csrf_failed"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"  # empty unless a site runs collectstatic for its proxy
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static", ("plotly", plotly_folder())]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

# Security. Over plain HTTP only on loopback; a site's proxy ends TLS and DAYOPS_TLS=1 says so.
TLS = flag("DAYOPS_TLS")
SECURE_SSL_REDIRECT = TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = TLS
SECURE_HSTS_PRELOAD = TLS
SESSION_COOKIE_SECURE = TLS
CSRF_COOKIE_SECURE = TLS
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
SECURE_CSP = {  # Django 6's name; our middleware speaks it until then
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],  # Plotly sets style attributes (plotly.js #7349)
    "img-src": ["'self'", "data:", "blob:"],
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}

# DayOps
PUBLIC_READ = flag("DAYOPS_PUBLIC_READ")
CAMERA = os.environ.get("DAYOPS_CAMERA", "minicam")
CAMERA_DATA_SYSTEM = os.environ.get("DAYOPS_CAMERA_DATA_SYSTEM", "")
ARCHIVE_URL = os.environ.get("DAYOPS_ARCHIVE", str(STATE_DIR / "archive"))
QUEUES = ["alert-production", "archive-center"]
LEASE_S = float(os.environ.get("DAYOPS_LEASE_S", "30"))
DRILL = flag("DAYOPS_DRILL")
HORSE_MEMORY_GIB = float(os.environ.get("DAYOPS_HORSE_MEMORY_GIB", "8"))  # 0: no limit

# Alarms leave by e-mail and webhooks (`dayops.alarm_delivery`)
ALARM_EMAILS = host_list("DAYOPS_ALARM_EMAILS", default=[])
ALARM_WEBHOOKS = web_addresses("DAYOPS_ALARM_WEBHOOKS")
WEBHOOK_PRIVATE_ADDRESSES = networks("DAYOPS_WEBHOOK_PRIVATE_ADDRESSES")
WEBHOOK_SECRET = os.environ.get("DAYOPS_WEBHOOK_SECRET", "")
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "dayops@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": os.environ.get("DAYOPS_LOG_LEVEL", "INFO")},
}
