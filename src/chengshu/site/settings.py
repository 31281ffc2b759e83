"""Django settings: an embedded default in ``var/``, production by environment variables.

``DATABASE_URL`` chooses PostgreSQL, ``CHENGSHU_HOSTS`` the host names, ``CHENGSHU_DEMO=1`` marks a demo district
(demo sign-ins are refused elsewhere). The secret key is made at first start and kept in ``var/keys``.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url

from chengshu.interfaces.oidc.configuration import provider_settings
from chengshu.site.district import describe
from chengshu.site.keys import secret_key
from chengshu.site.logs import logging_config
from chengshu.site.paths import var_dir

SITE_DIR = Path(__file__).resolve().parent
VAR_DIR = var_dir()
SECRET_KEY = secret_key(VAR_DIR / "keys")
DEBUG = os.environ.get("CHENGSHU_DEBUG") == "1"
DEMO = os.environ.get("CHENGSHU_DEMO") == "1" or (VAR_DIR / "demo").exists()
DISTRICT = describe(VAR_DIR)
ALLOWED_HOSTS = os.environ.get("CHENGSHU_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CHENGSHU_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "oauth2_provider",
    "chengshu.site",
    "chengshu.contexts.ledger",
    "chengshu.contexts.identity",
    "chengshu.contexts.catalogue",
    "chengshu.contexts.places",
    "chengshu.contexts.cases",
    "chengshu.contexts.certificates",
    "chengshu.contexts.messages",
    "chengshu.contexts.subjects",
    "chengshu.contexts.operations",
    "chengshu.contexts.hall",
    "chengshu.interfaces.oidc",
    "chengshu.interfaces.scim",
]

MIDDLEWARE = [
    "chengshu.site.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "chengshu.site.middleware.ContentSecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "chengshu.contexts.hall.ratings.channels.ChannelMiddleware",
    "chengshu.contexts.identity.middleware.SessionMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "chengshu.site.middleware.ProblemMiddleware",
]

ROOT_URLCONF = "chengshu.site.urls"
WSGI_APPLICATION = "chengshu.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SITE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chengshu.site.context.page",
            ],
        },
    }
]

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    # Full sync: an acknowledged step survives a power cut. The rest is what a read-heavy page wants.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
        "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY"
    ),
}
DATABASES = {
    "default": dj_database_url.config(default=f"sqlite:///{VAR_DIR / 'chengshu.sqlite3'}", conn_max_age=600)
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"].setdefault("OPTIONS", {}).update(SQLITE_OPTIONS)
    # Django's backend, with writers that wait in line.
    DATABASES["default"]["ENGINE"] = "chengshu.site.sqlite3"
    # Said outright: pytest-django knows by the name of Django's own backend alone that tests run in memory.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "identity.Account"
LOGIN_URL = "identity:sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "chengshu.contexts.identity.hashing.ChengshuArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# What certificates, QR codes and e-mails name as this installation's address.
PUBLIC_URL = os.environ.get("CHENGSHU_URL", "http://localhost:8000").rstrip("/")
# Other systems sign people in through us; PUBLIC_URL is the issuer.
# The toolkit's twenty-two migrations in one: its own took half the time of a new database.
MIGRATION_MODULES = {"oauth2_provider": "chengshu.interfaces.oidc.toolkit.migrations"}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oidc.ClientSystem"
OAUTH2_PROVIDER = provider_settings(PUBLIC_URL)
# E-mail leaves only where a server is named: smtp://user:password@host:587, smtps:// for TLS from the start.
_MAIL = urlsplit(os.environ.get("CHENGSHU_SMTP", ""))
EMAIL_HOST, EMAIL_PORT = _MAIL.hostname or "", _MAIL.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_MAIL.username or ""), unquote(_MAIL.password or "")
EMAIL_USE_SSL = _MAIL.scheme == "smtps"
EMAIL_USE_TLS = bool(_MAIL.username) and not EMAIL_USE_SSL
DEFAULT_FROM_EMAIL = os.environ.get("CHENGSHU_MAIL_FROM", "chengshu@localhost")
EMAIL_TIMEOUT = 20
# Behind one reverse proxy of ours, the last address in X-Forwarded-For is the caller's.
TRUSTED_PROXY = os.environ.get("CHENGSHU_PROXY") == "1"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
# Role: minutes idle, hours at most. A grid worker is on the stairs between two entries; a window is a shared place.
SESSION_LIMITS = {
    "resident": (60, 12),
    "grid_worker": (240, 12),
    "steward": (60, 10),
    "officer": (60, 10),
    "operator": (60, 10),
    "clerk": (20, 9),
}
# Who works only with a second factor: everyone employed. Off in the demo, whose sign-ins are open to whoever looks;
# CHENGSHU_SECOND_FACTOR names other roles, "none" nobody.
_EMPLOYED = "grid_worker,steward,officer,operator,clerk"
SECOND_FACTOR_ROLES = [
    role
    for role in os.environ.get("CHENGSHU_SECOND_FACTOR", "none" if DEMO else _EMPLOYED).split(",")
    if role in SESSION_LIMITS
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("CHENGSHU_HTTPS") == "1"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [SITE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [SITE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
MEDIA_ROOT = VAR_DIR / "files"
# A clamd socket ("clamd:/run/clamav/clamd.ctl", "clamd:host:3310") or a command; empty: files are marked as not scanned.
VIRUS_SCAN = os.environ.get("CHENGSHU_VIRUS_SCAN", "")
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

LOGGING_CONFIG = None
LOGGING = logging_config()
SILENCED_SYSTEM_CHECKS: list[str] = []
