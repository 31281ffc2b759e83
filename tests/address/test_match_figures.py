"""The figures the README promises hold on a small run: seeded errors on a generated library."""

import sys
from pathlib import Path

from chengshu.batch.address.library import AddressLibrary

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_messy_addresses_reach_their_place_and_hardly_ever_another(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delitem(sys.modules, "_address_library", raising=False)
    from _address_library import demo_library
    from _messy_addresses import cases

    frame = demo_library(small=True)
    library = AddressLibrary.from_frame(frame)
    todo = cases(frame, 6000, seed=99)
    codes = library.match_many([case.text for case in todo], home="440306")["place_code"].to_list()
    known = [(case.truth, code) for case, code in zip(todo, codes, strict=True) if case.truth]
    accepted = [(case.truth, code) for case, code in zip(todo, codes, strict=True) if code]
    assert sum(truth == code for truth, code in known) / len(known) >= 0.97
    assert sum(truth != code for truth, code in accepted) / len(accepted) <= 0.005
