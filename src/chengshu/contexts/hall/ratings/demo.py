"""What the demo's ratings have to show: services of the last weeks by every channel, rated in all grades. All generated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.hall.demo_days import When, moment
from chengshu.contexts.hall.ratings import following, giving
from chengshu.contexts.hall.ratings.channels import coming_by
from chengshu.contexts.hall.ratings.giving import Given, Said
from chengshu.contexts.hall.ratings.models import Channel, Service
from chengshu.contexts.identity import api as identity
from chengshu.contexts.identity.api import windows
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.codes import resident_id_check, resident_id_fault, sex_of

HALL, PORTAL, MOBILE = Channel.HALL, Channel.PORTAL, Channel.MOBILE
CARD, RECORD, SUBSIDY = "social-security-card", "maternity-service-record", "childbirth-subsidy"
# Of an age at which one applies for everything that is played here.
AGES = range(22, 41)
FINE, GOOD = Said(5, ("fast", "no-visit")), Said(4, ("easy-system",))
STAY = dt.timedelta(minutes=12)


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody generated, as the golden record has them, with an account where they come without the window."""

    subject_id: str
    values: Mapping[str, Any]
    account: identity.Account | None = None

    @property
    def woman(self) -> bool:
        """Whether the identity number is a woman's."""
        return sex_of(str(self.values["person.resident_id"])) == "female"

    def facts(self) -> dict[str, Any]:
        """What every application of seconds begins with."""
        return {
            "applicant_name": self.values["person.name"],
            "applicant_id": self.values["person.resident_id"],
            "applicant_born_on": str(self.values["person.birth_date"])[:10],
            "phone": "13800000000",
        }


@dataclass(frozen=True, slots=True)
class Applied:
    """What somebody applied for, when, by which channel, and what they said; None: nothing."""

    pack: str
    when: When
    channel: Channel
    said: Said | None


# When somebody came to the window, and what they said of it; None: they said nothing.
TURNS: Sequence[tuple[When, Said | None]] = (
    ((16, 9.1), Said(5, ("polite", "skilled"))),
    ((15, 10.4), Said(5, ("helped",), "帮我把照片也传好了")),
    ((15, 14.3), Said(1, ("absent", "rude"), "窗口没有人，等了四十分钟", contact="13800000000")),
    ((14, 9.6), Said(4, ("clear-guide",))),
    ((13, 14.6), Said(5, ("skilled",))),
    ((12, 11.2), None),
    ((11, 15.5), Said(5, ("fast",))),
    ((9, 9.3), Said(3, ("time-could",), "叫号可以快一点")),
    ((8, 16.2), Said(5, ("polite",))),
    ((6, 10.1), Said(4, ("skilled",))),
    ((5, 15.2), Said(4, ("polite",))),
    ((4, 14.8), Said(2, ("extra-materials",), "公交车太挤", True)),
    ((3, 9.9), Said(5, ("fast", "polite"))),
    ((1, 11.6), Said(5, ("helped",))),
)
APPLIED: Sequence[Applied] = (
    Applied(CARD, (19, 9.5), HALL, Said(5, ("fast",))),
    Applied(CARD, (18, 20.2), MOBILE, FINE),
    Applied(RECORD, (18, 10.1), PORTAL, Said(5, ("no-visit",))),
    Applied(CARD, (17, 11), HALL, GOOD),
    Applied(RECORD, (16, 21), MOBILE, Said(2, ("system-faults",), "填到最后一页退出来，全部要重填")),
    Applied(CARD, (15, 13.4), PORTAL, FINE),
    Applied(CARD, (13, 9.2), HALL, Said(5, ("polite",))),
    Applied(RECORD, (12, 19.5), MOBILE, GOOD),
    Applied(SUBSIDY, (11, 10.5), PORTAL, Said(3, ("guide-could",), "不知道还要先上户口")),
    Applied(CARD, (10, 15.1), HALL, None),
    Applied(CARD, (9, 8.8), MOBILE, FINE),
    Applied(RECORD, (9, 16.4), HALL, Said(4, ("skilled",))),
    Applied(CARD, (8, 10.9), PORTAL, Said(3, ("system-could",))),
    Applied(RECORD, (7, 22.1), MOBILE, Said(5, ("fast",), "", True)),
    Applied(CARD, (6, 9.7), HALL, Said(5, ("helped",))),
    Applied(CARD, (5, 12.3), MOBILE, GOOD),
    Applied(RECORD, (4, 9.4), PORTAL, FINE),
    Applied(SUBSIDY, (3, 20.6), MOBILE, Said(4, ("clear-guide",))),
    Applied(CARD, (2, 10.2), HALL, FINE),
    Applied(RECORD, (2, 18.7), MOBILE, Said(1, ("system-faults", "slow"), "验证码收不到", True)),
    Applied(CARD, (1, 9.3), PORTAL, Said(4, ("early",))),
    Applied(CARD, (1, 16), HALL, Said(5, ("polite", "fast"))),
)


def seed_demo(now: dt.datetime) -> int:
    """Play the demo's services and ratings and return how many services there are; again does nothing."""
    clerk = identity.account_named("clerk")
    if clerk is None or Service.objects.filter(pack="window").exists():
        return 0
    people = list(_people(now, len(TURNS) + len(APPLIED)))
    for who, (when, said) in zip(people, TURNS, strict=False):
        _turn(clerk, who, moment(now, when), said, now)
    rest = people[len(TURNS) :]
    for number, applied in enumerate(APPLIED):
        who = next((each for each in rest if applied.pack != RECORD or each.woman), None)
        if who is None:
            continue
        rest.remove(who)
        if applied.channel != HALL:
            who = _with_account(who, number)
        _applied(f"demo:rated:{number}", applied, who, clerk, moment(now, applied.when))
    _own_ratings(now)
    return Service.objects.count()


def _people(now: dt.datetime, most: int) -> Iterator[Applicant]:
    """Yield generated people of the golden record who may apply; none of those whom one signs in as."""
    taken = {
        account.subject_id
        for account in map(identity.account_named, ("resident", "applicant", "objector"))
        if account
    }
    names = ("person.name", "person.resident_id", "person.birth_date")
    this_year, found = now.year, 0
    for subject_id, values in subjects.people_with(names):
        number = str(values["person.resident_id"] or "")
        if subject_id in taken or not values["person.name"] or resident_id_fault(number):
            continue
        if this_year - int(number[6:10]) not in AGES or not values["person.birth_date"]:
            continue
        yield Applicant(subject_id, values)
        found += 1
        if found == most * 2:
            return


def _with_account(who: Applicant, number: int) -> Applicant:
    """Give somebody an account that nobody can sign in to: it has no password."""
    account = identity.save_account(
        f"generated-{number}",
        display_name=str(who.values["person.name"]),
        role="resident",
        subject_id=who.subject_id,
        is_demo=True,
    )
    return Applicant(who.subject_id, who.values, account)


@contextmanager
def _at_window(clerk: identity.Account, who: Applicant, at: dt.datetime) -> Iterator[windows.WindowSession]:
    """Serve somebody at the window for a few minutes: begun, ended, and kept as a service of its own."""
    shown = identity.mask("person.name", who.values["person.name"])
    turn = windows.begin(clerk, who.subject_id, shown, windows.Ground("present"), at)
    yield turn
    windows.end(clerk, at + STAY)
    following.window_service(
        turn.pk,
        clerk_id=clerk.pk,
        subject_id=who.subject_id,
        department=clerk.department_id or "data-bureau",
        began_at=at,
        ended_at=at + STAY,
    )


def _turn(
    clerk: identity.Account, who: Applicant, at: dt.datetime, said: Said | None, now: dt.datetime
) -> None:
    with _at_window(clerk, who, at) as turn:
        pass
    if said is None:
        return
    service = Service.objects.get(reference=f"window:{turn.pk}", round=1)
    given = giving.rate(service, said, via="hall", account_id=None, now=at + STAY)
    if said.contact:
        _mended(given, service, now)
    elif given.follow_up:
        _set_aside(given, at + STAY, now)


def _applied(key: str, applied: Applied, who: Applicant, clerk: identity.Account, at: dt.datetime) -> None:
    if who.account is None:
        with _at_window(clerk, who, at) as turn:
            behalf = {"subject_id": who.subject_id, "by": "window", "mandate": turn.pk}
            case_id = _handed_in(key, applied.pack, who, clerk, at, behalf)
    else:
        with coming_by(applied.channel):
            case_id = _handed_in(key, applied.pack, who, who.account, at, None)
    service = Service.objects.get(reference=f"case:{case_id}", round=1)
    if applied.said is None:
        return
    account = None if who.account is None else who.account.pk
    later = at + dt.timedelta(hours=1)
    given = giving.rate(service, applied.said, via=applied.channel.value, account_id=account, now=later)
    if given.follow_up and not applied.said.anonymous:
        # This one is still being mended.
        _told(given.follow_up, "accept", {}, identity.account_named("officer-health2"), later + STAY)


def _handed_in(
    key: str, pack: str, who: Applicant, actor: identity.Account, at: dt.datetime, behalf: dict[str, Any] | None
) -> str:  # fmt: skip
    """Open a case and end it: confirmed, which the rules grant at once, or withdrawn."""
    case_id = cases.open_case(
        pack, _facts(pack, who, at), opened_by=actor, subject_id=who.subject_id, idempotency_key=key, now=at,
        on_behalf=behalf,
    )  # fmt: skip
    name, data = ("withdraw", {}) if pack == SUBSIDY else ("confirm", {"agreed": True})
    _told(case_id, name, data, actor, at + STAY / 2)
    return case_id


def _facts(pack: str, who: Applicant, at: dt.datetime) -> dict[str, Any]:
    own = who.facts()
    if pack == CARD:
        holder = {
            "holder_name": own["applicant_name"],
            "holder_id": own["applicant_id"],
            "holder_born_on": own["applicant_born_on"],
        }
        return {**own, **holder, "for_whom": "self", "has_card": False, "carrier": "electronic"}
    if pack == RECORD:
        return {**own, "expecting_on": (at.date() + dt.timedelta(days=150)).isoformat(), "order": 1}
    born = at.date() - dt.timedelta(days=40)
    child = f"440306{born:%Y%m%d}{at:%H}2"
    return {
        "applicant_name": own["applicant_name"], "applicant_id": own["applicant_id"],
        "applicant_born_on": own["applicant_born_on"], "phone": own["phone"],
        "child_name": "小满（演示）", "child_id": child + resident_id_check(child), "born_on": born.isoformat(),
        "registered_here": True, "birth_proof": "register", "relation": "mother" if who.woman else "father",
        "payee": own["applicant_name"], "bank_account": "6217000000000000001", "truthful": True,
    }  # fmt: skip


def _mended(given: Given, service: Service, now: dt.datetime) -> None:
    """The bad rating of the window is looked into, mended, called back by another, and its result rated."""
    case_id = given.follow_up
    _told(case_id, "accept", {}, identity.account_named("officer-data"), moment(now, (14, 9)))
    measures = {"cause": "attitude", "measures": "增加午间值守，窗口离人须挂牌并有人顶岗。"}
    _told(case_id, "mend", measures, identity.account_named("officer-data"), moment(now, (10, 16)))
    heard = {"visit": "satisfied", "visit_text": "电话回访：中午去过一次，有人。"}
    _told(case_id, "visit", heard, identity.account_named("officer-data2"), moment(now, (9, 10)))
    again = Service.objects.get(reference=service.reference, round=2)
    giving.rate(again, Said(4, ("helped",)), via="hotline", account_id=None, now=moment(now, (8, 11)))


def _set_aside(given: Given, at: dt.datetime, now: dt.datetime) -> None:
    """A rating that speaks of something else is contested, and set aside by the operator."""
    case_id = given.follow_up
    _told(case_id, "accept", {}, identity.account_named("officer-data"), at + dt.timedelta(hours=1))
    said = {"contest": "not-this-service", "contest_text": "评价说的是公交车，不是窗口。"}
    _told(case_id, "contest", said, identity.account_named("officer-data"), moment(now, (3, 10)))
    _told(
        case_id,
        "set_aside",
        {"examined": "评价内容与本次服务无关。"},
        identity.account_named("operator"),
        moment(now, (2, 10)),
    )


def _own_ratings(now: dt.datetime) -> None:
    """The demo's resident has rated one of their own matters; the others wait for whoever signs in."""
    resident = identity.account_named("resident")
    rows = Service.objects.filter(
        account_id=getattr(resident, "pk", None), ended_at__isnull=False, rated_on=None
    )
    row = rows.order_by("pk").first() if resident is not None else None
    if row is not None:
        giving.rate(row, Said(5, ("few-materials", "fast")), via="portal", account_id=row.account_id, now=now)


def _told(
    case_id: str, name: str, data: Mapping[str, Any], actor: identity.Account | None, at: dt.datetime
) -> None:
    cases.command(
        case_id,
        name,
        data,
        actor=actor,
        expected_version=None,
        now=at,
        idempotency_key=f"demo:{case_id}:{name}",
    )
