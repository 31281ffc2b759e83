"""An administrator imports staff, posts them, notes absences and lets someone leave, from the command line."""

from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.utils import timezone

from chengshu.contexts.identity import api as identity
from chengshu.contexts.places import api as places
from chengshu.kernel.problems import Problem
from chengshu.site.cli.staff import app


def run(*arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.fixture
def staff_file(tmp_path):
    path = tmp_path / "staff.csv"
    text = "username,display_name,role,department\nnew1,王一,grid_worker,grid-office\nnew2,李二,grid_worker,grid-office\n"
    path.write_bytes(text.encode("gb18030"))
    return path


def test_staff_come_in_from_a_spreadsheets_csv_without_a_password(district, staff_file):
    run("import", str(staff_file))
    account = identity.account_named("new1")
    assert account.display_name == "王一" and not account.has_usable_password()


def test_a_file_with_one_bad_row_changes_nothing(district, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(
        "username,display_name,role,department\nok,好,steward,data-bureau\nbad,坏,king,\n", "utf-8"
    )
    with pytest.raises(Problem) as refused:
        run("import", str(path))
    assert refused.value.where.row == 2 and refused.value.where.field == "role"
    assert identity.account_named("ok") is None


def test_missing_columns_are_named(district, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("name\nx\n", "utf-8")
    with pytest.raises(Problem, match="columns"):
        run("import", str(path))


def test_someone_is_posted_away_and_leaves(district, staff_file):
    run("import", str(staff_file))
    today, cell = timezone.localdate(), places.cells()[0].code
    run("post", "new1", cell, "--from", "2026-01-01")
    one, two = identity.account_named("new1"), identity.account_named("new2")
    assert places.people_in_charge(cell, today)[0] == one.pk
    run("absence", "new1", "--from", str(today), "--to", str(today), "--substitute", "new2")
    assert places.people_in_charge(cell, today)[0] == two.pk
    run("leave", "new1", "--to", "new2")
    assert places.people_in_charge(cell, today + timedelta(days=5))[0] == two.pk


def test_cells_without_anyone_make_the_command_say_so(district):
    answer = run("bare", "--json")
    bare = places.cells_without_staff(timezone.localdate())
    assert answer.exit_code == (1 if bare else 0)


def test_a_weak_password_is_refused(district):
    with pytest.raises(Problem, match="weak"):
        run("password", "worker", "--password", "12345678")


def test_an_unknown_name_is_refused(district):
    with pytest.raises(Problem, match="user name"):
        run("absence", "nobody", "--from", "2026-01-01", "--to", "2026-01-02")
