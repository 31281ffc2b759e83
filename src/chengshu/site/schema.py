"""Does the database have the schema that this program needs?"""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chengshu.kernel.problems import Problem


def waiting_migrations() -> list[str]:
    """Return the names of the migrations that the database lacks, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def unknown_migrations() -> list[str]:
    """Return migrations the database has and this program does not know: a newer program wrote it."""
    loader = MigrationExecutor(connection).loader
    ours = {config for config, _ in loader.graph.leaf_nodes()}
    known = set(loader.disk_migrations)
    # What one of ours stands for is known as well, though it is not here.
    known.update(each for migration in loader.disk_migrations.values() for each in migration.replaces)
    return sorted(
        f"{app}.{name}" for app, name in loader.applied_migrations if app in ours and (app, name) not in known
    )


def applied_migrations() -> list[str]:
    """Return the names of the steps that the database has, sorted."""
    return sorted(f"{app}.{name}" for app, name in MigrationExecutor(connection).loader.applied_migrations)


def require_current_schema() -> None:
    """Raise a ``Problem`` when the database is older or newer than this program."""
    if newer := unknown_migrations():
        raise Problem(
            "schema-newer",
            "The database was written by a newer Chengshu",
            detail=", ".join(newer),
            remedy="install the newer program, or restore a backup made with this one",
        )
    waiting = waiting_migrations()
    if not waiting:
        return
    if not MigrationExecutor(connection).loader.applied_migrations:
        raise Problem(
            "no-district",
            "There is no district here yet",
            remedy="run chengshu demo, or chengshu init for a real district",
        )
    raise Problem(
        "schema-older",
        f"The database lacks {len(waiting)} schema steps",
        detail=", ".join(waiting[:5]),
        remedy="run chengshu backup, then chengshu upgrade",
    )


def create_or_upgrade() -> list[str]:
    """Apply what is missing; returns the names of the steps applied."""
    waiting = waiting_migrations()
    if waiting:
        call_command("migrate", interactive=False, verbosity=0)
    return waiting
