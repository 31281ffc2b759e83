"""What a pack watches in the record of whom a case is about: `pack check` holds that the system can follow it."""

from __future__ import annotations

import pytest

from chengshu.kernel.resources import shipped
from chengshu.procedure.diff import differences
from chengshu.procedure.files import PackFiles, read_files
from chengshu.procedure.loader import check_files, load_files

PACK = shipped("packs", "cn", "social-assistance")
WATCH = 'watches:\n  - {element: person.death_date, do: died, field: died_on, cite: ["hardship:24", "house:12"]}\n'


def changed(old, new):
    files = read_files(PACK)
    assert old in files.texts["states.yaml"]
    return PackFiles("p", {**files.texts, "states.yaml": files.texts["states.yaml"].replace(old, new)})


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("do: died, field", "do: deceased, field", "command-unknown"),
        ("do: died, field", "do: leave, field", "command-unknown"),
        ("field: died_on", "field: dead_on", "watch-field"),
        ('"hardship:24", "house:12"]}\nstates:', "]}\nstates:", "ground-missing"),
        ("person.death_date, do", "person.death_day, do", "element-unknown"),
    ],
)
def test_a_watch_that_leads_nowhere_is_a_fault(old, new, code):
    checked = check_files(changed(old, new), elements=frozenset(known()), cases=False)
    assert code in [fault.code for fault in checked.faults]


def known():
    pack = load_files(read_files(PACK))
    for _, fields in pack.fields():
        for item in fields.values():
            yield item.element
            yield from (column.element for column in item.columns.values())


def test_a_watch_taken_away_is_told_of_between_versions():
    old, new = load_files(read_files(PACK)), load_files(changed(WATCH, ""))
    assert any("person.death_date" in str(line) for line in differences(old, new))
