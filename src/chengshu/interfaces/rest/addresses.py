"""REST calls for addresses: take apart, match to the district's library, compare, look one up."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from chengshu.batch.address.pairs import compare
from chengshu.batch.address.parse import parse_many
from chengshu.contexts.identity.api import STAFF_ROLES
from chengshu.contexts.places import api as places
from chengshu.interfaces.rest.authentication import guard
from chengshu.kernel.problems import Problem

addresses = Router(tags=["addresses"])
MOST_TEXTS, LONGEST_TEXT = 1000, 300
_ANYONE = guard(scope="places:read")
_STAFF = guard(*STAFF_ROLES, scope="places:read")


class Texts(Schema):
    """Addresses as they are written; at most 1,000 a call."""

    texts: list[str] = Field(min_length=1, max_length=MOST_TEXTS)
    home: str | None = Field(
        None,
        pattern=r"^\d{6}$",
        description="District code that short addresses mean; by default this district's",
    )


class ParsedOut(Schema):
    """One address taken apart. A field is null when it is neither written nor certain."""

    province: str | None
    city: str | None
    district: str | None
    street: str | None
    community: str | None
    road: str | None
    number: str | None
    estate: str | None
    building: str | None
    unit: str | None
    floor: str | None
    room: str | None
    place: str | None
    division_code: str | None
    inferred: list[str] = Field(description="Fields that were completed rather than written")
    error: str | None


class CandidateOut(Schema):
    """A place that was weighed."""

    place_code: str
    score: float | None


class MatchOut(Schema):
    """What one address was matched to; `place_code` is null where the matcher refuses, and `reason` says why."""

    text: str
    place_code: str | None
    score: float | None
    level: Literal["room", "building"] | None
    candidates: list[CandidateOut]
    reason: str | None = Field(
        description="not_found, no_such_number, no_such_building, too_short, outside, ambiguous, uncertain, retired, "
        "unreadable; beside a building's code new_room or ambiguous_room"
    )
    retired_code: str | None = Field(description="The code the text fits, when another replaced it")


class Two(Schema):
    """Two addresses to compare."""

    left: str = Field(max_length=LONGEST_TEXT)
    right: str = Field(max_length=LONGEST_TEXT)


class RelationOut(Schema):
    """How two addresses relate, and why."""

    verdict: Literal["exact", "partial", "different"]
    reasons: list[str]


class ChangeOut(Schema):
    """One change that touched a place."""

    kind: str
    before: list[str]
    after: list[str]
    on: str
    reason: str


class PlaceOut(Schema):
    """One place of the library, with what became of it."""

    place_code: str
    building_code: str
    text: str
    parts: dict[str, str | None]
    community_code: str
    cell_code: str | None
    lon: float | None
    lat: float | None
    state: str
    became: list[str] = Field(description="Codes in force that stand for it; itself while it is active")
    history: list[ChangeOut]


@addresses.post("/parse", response=list[ParsedOut], auth=_ANYONE, summary="Take addresses apart")
def parse(request: HttpRequest, body: Texts) -> list[dict[str, Any]]:
    """Take at most 1,000 addresses apart, in order."""
    _check(body.texts)
    home = body.home or places.home_code()
    return [found.to_dict() for found in parse_many(body.texts, home=home, processes=1)]


@addresses.post("/match", response=list[MatchOut], auth=_STAFF, summary="Match addresses to the library")
def match(request: HttpRequest, body: Texts) -> list[dict[str, Any]]:
    """Match at most 1,000 addresses to the district's library, in order; what is not certain is refused."""
    _check(body.texts)
    library = places.address_library()
    if library is None:
        raise Problem("no-address-library", "本区还没有地址库", status=409)
    found = library.match_many(body.texts, home=body.home or places.home_code())
    return found.to_dicts()


@addresses.post("/compare", response=RelationOut, auth=_ANYONE, summary="Compare two addresses")
def compare_two(request: HttpRequest, body: Two) -> dict[str, Any]:
    """Say whether two addresses are one place, parts of one, or two places."""
    found = compare(body.left, body.right)
    return {"verdict": str(found.verdict), "reasons": list(found.reasons)}


@addresses.get("/library/{place_code}", response=PlaceOut, auth=_STAFF, summary="One place of the library")
def one_place(request: HttpRequest, place_code: str) -> dict[str, Any]:
    """Return a building or room of the library, also one that is retired, with its history."""
    found = places.place(place_code)
    if found is None:
        raise Problem("place-unknown", "地址库中没有此编码", detail=place_code[:40], status=404)
    history = [
        {"kind": change.kind, "before": change.before, "after": change.after, "on": change.on.isoformat(),
         "reason": change.reason}
        for change in places.place_history(place_code)
    ]  # fmt: skip
    return {
        "place_code": found.place_code, "building_code": found.building_code, "text": found.text,
        "parts": dict(found.slots), "community_code": found.community_code, "cell_code": found.cell_code,
        "lon": found.lon, "lat": found.lat, "state": found.state,
        "became": places.current_places(place_code), "history": history,
    }  # fmt: skip


def _check(texts: list[str]) -> None:
    long = next((number for number, text in enumerate(texts, 1) if len(text) > LONGEST_TEXT), None)
    if long is not None:
        raise Problem(
            "address-too-long", f"一个地址最多 {LONGEST_TEXT} 个字", detail=f"texts[{long - 1}]", status=422
        )
