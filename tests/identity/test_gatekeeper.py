"""Nobody's values leave the database past the gatekeeper: every function that reads them is listed, and holds to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gatekeeping import RECORDERS, functions

from chengshu.kernel.strict_yaml import load_yaml

LISTED = {row["function"]: row for row in load_yaml(Path(__file__).with_name("gatekeeper.yaml"))["readers"]}
FOUND = functions()
READING = {name: one for name, one in FOUND.items() if one.readers}


def test_every_function_that_reads_people_is_listed_and_every_line_is_true():
    assert sorted(set(READING) - set(LISTED)) == [], (
        "record the look, then add these to tests/identity/gatekeeper.yaml"
    )
    assert sorted(set(LISTED) - set(READING)) == [], "these read no records any more"


@pytest.mark.parametrize("name", sorted(name for name, row in LISTED.items() if "recorded_by" in row))
def test_what_is_said_to_record_the_look_does(name):
    recorder = LISTED[name]["recorded_by"]
    one = FOUND.get(name if recorder == "itself" else recorder)
    assert one is not None, f"{recorder} is gone"
    assert one.calls & RECORDERS, f"{recorder} does not call the gatekeeper"


def test_each_line_says_either_who_records_or_why_not():
    for name, row in LISTED.items():
        assert ("recorded_by" in row) != ("reason" in row), name


def test_one_gatekeeper_writes_reads_and_disclosures():
    """No other function makes a row of the register of reads: one for eyes, one for systems that a person consented to."""
    makers = sorted(name for name, one in FOUND.items() if one.makes_reads)
    assert makers == [
        "contexts/identity/disclosures:record_disclosure",
        "contexts/identity/store:record_read",
        "contexts/identity/store:record_reads",
    ]
