"""A real PostgreSQL from the pgserver wheel; as a script it runs a command with ``DATABASE_URL`` set to one.

python tests/tests_support/postgres.py pytest tests/cases
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Start PostgreSQL in ``folder`` and yield the URL of a new database ``chengshu``; stop it afterwards."""
    import pgserver
    import psycopg

    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE chengshu")
            connection.execute("ALTER SYSTEM SET max_connections = 200")
        yield django_url(url)
    finally:
        server.cleanup()


def django_url(url: str) -> str:
    """Rewrite pgserver's socket URL (``?host=…``) to one for the database ``chengshu``."""
    address, _, query = url.partition("?")
    return f"{address.rsplit('/', maxsplit=1)[0]}/chengshu" + (f"?{query}" if query else "")


def new_database(url: str) -> str:
    """Make one more database on the server of ``url`` and return its address."""
    import psycopg

    name = f"chengshu_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return (
        url.replace("/chengshu?", f"/{name}?") if "?" in url else url.removesuffix("/chengshu") + f"/{name}"
    )


def main() -> int:
    """Run the command given on the command line beside a PostgreSQL; return its exit code."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder)) as url:
        environment = {**os.environ, "DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
