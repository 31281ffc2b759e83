"""Django as a careful user sets it up for durable work on SQLite: WAL, full sync, immediate transactions."""

from __future__ import annotations

from pathlib import Path

PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456"
)


def start(folder: Path, name: str, apps: list[str]) -> None:
    """Set Django up on a new database, with the tables of ``apps``."""
    import django
    from django.conf import settings

    options = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": PRAGMAS}
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / f"{name}.sqlite3",
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
    }
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
        DATABASES={"default": database},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="benchmark",
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", skip_checks=True, verbosity=0, run_syncdb=True)
