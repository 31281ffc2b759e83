"""The house stands: Django's own checks pass and no model waits for a migration."""

import pytest
from django.core.management import call_command
from django.db import connection


def test_checks_find_nothing():
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_database_is_the_one_asked_for():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 + 1")
        assert cursor.fetchone() == (2,)
