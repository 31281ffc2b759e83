"""Every change of a model has its migration, those of the toolkit that we keep in one among them."""

import pytest
from django.core.management import call_command

from chengshu.site import schema


@pytest.mark.django_db
def test_a_database_made_by_this_program_is_neither_older_nor_newer():
    schema.require_current_schema()


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
