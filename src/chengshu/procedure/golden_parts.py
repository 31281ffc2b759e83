"""Golden cases of one-things: what their parts tell is written in the case; which part opened is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chengshu.procedure.case import Case, EffectNote, Event
from chengshu.procedure.machine import MACHINE, Command
from chengshu.procedure.model import Pack
from chengshu.procedure.parts import OPEN_PART, TELL_PART, WAITING, WITHDRAW_PART, Join, News, Part
from chengshu.procedure.sheets import Sheet
from chengshu.procedure.types import BadValue, check_value

OF_PARTS = frozenset({OPEN_PART, TELL_PART, WITHDRAW_PART})
Differs = Callable[[Sheet, str, str], None]


def all_marks(pack: Pack) -> set[str]:
    """Return what golden cases of a one-thing must go through: each part opens, ends well, is refused, is not wanted."""
    return set(_marks(pack))


def _marks(pack: Pack) -> Iterator[str]:
    for item in pack.parts or ():
        what = "part" if isinstance(item, Part) else "join"
        yield f"{what} {item.id} open"
        yield f"{what} {item.id} done"
        if isinstance(item, Join):
            yield f"join {item.id} called off"
            yield from (f"join {item.id} left by {command}" for command in item.leaves.values())
        if isinstance(item, Part):
            yield f"part {item.id} refused"
            if item.when is not None:
                yield f"part {item.id} skipped"


def opened(pack: Pack, case: Case, event: Event) -> set[str]:
    """Give each part that opened a case of its own; return the marks of what became of the parts in this step."""
    marks = set()
    for name, state in event.get("parts", {}).items():
        what = "join" if pack.parts is not None and name in pack.parts.joins else "part"
        marks.add(f"{what} {name} {state.get('state')}")
        if state.get("state") == "open" and not state.get("case"):
            state["case"] = child_id(name)
            case.children = {**case.children, child_id(name): ""}
            event.setdefault("children", {})[child_id(name)] = ""
    for item in pack.parts.joins.values() if pack.parts is not None else ():
        # How a shared case is called is seen by what it is told.
        told = {note["params"]["do"] for note in event.get("effects", ()) if _tells(note, item, case, event)}
        marks |= {f"join {item.id} called off"} if item.withdraw in told else set()
        marks |= {f"join {item.id} left by {command}" for command in item.leaves.values() if command in told}
    if event.get("parts"):
        case.parts = {**case.parts, **event["parts"]}
    return marks


def _tells(note: EffectNote, join: Join, case: Case, event: Event) -> bool:
    known = {**case.parts, **event.get("parts", {})}.get(join.id, {}).get("case")
    return note["do"] == TELL_PART and bool(known) and note["params"].get("case") == known


def child_id(name: str) -> str:
    """Return how golden cases number the case of a part."""
    return f"GOLDEN-{name}"


def news_of(pack: Pack, case: Case, step: Sheet, differs: Differs) -> Command | None:
    """Return the command by which a part's case tells of the state that the golden case says it reached."""
    key = "part" if "part" in step.data else "join"
    name = str(step.data[key])
    item = pack.parts.get(name) if pack.parts is not None else None
    if item is None or pack.parts is None or isinstance(item, Join) is (key == "part"):
        differs(step, f"there is no {key} {name!r}", key)
        return None
    found = case.parts.get(name, {}).get("state", WAITING)
    if found != "open":
        differs(step, f"the {key} {name!r} is {found}: it tells nothing", key)
        return None
    state, refused = str(step.data.get("state", "")), str(step.data.get("opening", ""))
    if bool(state) is bool(refused):
        differs(step, "a part tells which state it reached, or with which code its opening was refused", key)
        return None
    waits = any(join.parts[name] == state for join in pack.parts.joins_of(name))
    final = state not in item.done and not waits
    said = _plain(step.data.get("with", {}))
    returned = _returned(pack, item, said, step, differs) if isinstance(item, Part) else {}
    gives = said if isinstance(item, Join) else {}
    outcome = str(step.data.get("outcome", state))
    news = News(name, state, final, outcome if final else "", returned, gives, refused)
    # Whether a part that has ended well lives on is its own pack's matter: here it counts as ended.
    children = {child_id(name): outcome} if state and not waits else {}
    return Command(pack.parts.on_part, MACHINE, children=children, news=news)


def _returned(
    pack: Pack, part: Part, said: Mapping[str, Any], step: Sheet, differs: Differs
) -> dict[str, Any]:
    found = {}
    for name, value in said.items():
        if name not in part.returns:
            differs(step, f"the part {part.id!r} returns no {name!r}", "with")
            continue
        try:
            found[name] = check_value(value, pack.keeps[name])
        except BadValue as bad:
            differs(step, f"{name!r} does not fit: {bad}", "with")
    return found


def unlike(pack: Pack, case: Case, wanted: Mapping[str, Any]) -> Iterator[str]:
    """Yield how the parts differ from what they should be."""
    for name, state in wanted.items():
        known = pack.parts.get(name) if pack.parts is not None else None
        found = case.parts.get(name, {}).get("state", WAITING)
        if known is None:
            yield f"there is no part {name!r}"
        elif found != state:
            yield f"the part {name} is {found}, not {state}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
