"""A form filled from what is known already: each value with its source, its day and a way to dispute it.

One call serves a whole form in a bounded number of queries: golden records, certificates, earlier cases and premises are
each asked once. What is not filled is told with its reason, so that a page can say why it asks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_noop as _n

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import api as certificates
from chengshu.contexts.hall.domain import MADE_BY_SYSTEM
from chengshu.contexts.hall.mydata.fitting import fitted
from chengshu.contexts.identity.api import Account, Acting
from chengshu.contexts.subjects import api as subjects
from chengshu.kernel.one_look import seen
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.check_sourced import record_behind
from chengshu.procedure.model import WHERE, Field, Pack
from chengshu.procedure.ports import SourceRequest, registry

Said = Mapping[str, str]
# Why a field that has a source is asked all the same, in words for whoever fills the form.
REASONS = {
    "no-record": _n("没有查到您的登记，请填写"),
    "no-value": _n("登记中没有这一项，请填写"),
    "no-consent": _n("您没有同意使用这项数据，请填写"),
    "halted": _n("数源暂时不可用，请填写"),
    "no-certificate": _n("没有查到有效的电子证照，请填写"),
    "no-earlier": _n("以前没有填过，请填写"),
    "old-list": _n("名单文件已超过 31 天，请填写"),
    "unfit": _n("登记的内容不合这一项的格式，请填写"),
    "several": _n("您有几份这样的证照，请写明是哪一份"),
    "waits": _n("回答前面的问题后才能查到"),
}
ACCOUNT_TITLE = {"zh": "您的账户", "en": "your account"}
RECORD_TITLE = {"zh": "标准记录", "en": "the golden record"}


@dataclass(frozen=True, slots=True)
class Prefilled:
    """A value that need not be asked, where it comes from, of which day, and whether one can dispute it."""

    value: Any
    source_title: Said
    source_code: str
    at: str
    element: str
    disputable: bool = False
    disputed: bool = False
    # The page where one disputes it, by name and arguments: an address costs more than all the rest, and few are shown.
    dispute_at: tuple[str, ...] = ()

    @property
    def origin(self) -> dict[str, Any]:
        """Return where it comes from, without the value: what a case keeps of it."""
        return {
            "source": self.source_code,
            "title": dict(self.source_title),
            "at": self.at,
            "element": self.element,
        }

    @property
    def dispute_url(self) -> str:
        """Return the page on which one disputes it; empty without one."""
        return reverse(self.dispute_at[0], args=self.dispute_at[1:]) if self.dispute_at else ""


@dataclass(frozen=True, slots=True)
class Prefill:
    """What is known of a form, and why the rest of what has a source is asked."""

    found: Mapping[str, Prefilled] = field(default_factory=dict)
    # Field → a key of REASONS.
    asked: Mapping[str, str] = field(default_factory=dict)
    # Field → what the person chooses from, where a source holds several and the field says which is meant.
    choices: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many fields are spared."""
        return len(self.found)


@dataclass(slots=True)
class _Form:
    """One form that is being filled."""

    pack: Pack
    acting: Acting
    now: dt.datetime
    case_id: str
    found: dict[str, Prefilled] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def put(self, item: Field, held: Prefilled) -> None:
        """Take a value that fits the field; one that does not is asked."""
        value = fitted(self.pack, item, held.value)
        if value is None:
            self.asked[item.name] = "unfit"
            return
        self.found[item.name] = Prefilled(
            value, held.source_title, held.source_code, held.at, held.element, held.disputable, held.disputed,
            held.dispute_at,
        )  # fmt: skip

    def take(self, name: str, known: _Form) -> None:
        """Take over what another filling of the same form has learnt of a field."""
        for mine, theirs in (
            (self.found, known.found), (self.asked, known.asked), (self.choices, known.choices),
        ):  # fmt: skip
            if name in theirs:
                mine[name] = theirs[name]


Wanted = list[tuple[Field, Mapping[str, Any]]]
Drawer = Callable[[_Form, Wanted], None]


def prefilled(
    pack: Pack | str, acting: Acting | Account, now: dt.datetime, *, answers: Mapping[str, Any] | None = None
) -> Mapping[str, Prefilled]:
    """Return the fields of a pack's opening form that need not be asked."""
    return prefill(pack, acting, now, answers=answers).found


def prefill(
    pack: Pack | str,
    acting: Acting | Account,
    now: dt.datetime,
    *,
    answers: Mapping[str, Any] | None = None,
    fields: Iterable[Field] | None = None,
    case_id: str = "",
) -> Prefill:
    """Fill a form (the opening form unless ``fields`` are given) for whoever the matter is about.

    ``answers`` are those given so far: a source may hang on them (the premises at a chosen address).
    """
    known = cases.current_pack(pack) if isinstance(pack, str) else pack
    who = acting if isinstance(acting, Acting) else Acting(acting, acting.subject_id, acting.shown_name)
    form = _Form(known, who, now, case_id)
    wanted: Wanted = []
    scope = _scope(known, who, answers or {}, now)
    for item in known.facts.values() if fields is None else fields:
        if item.prefill is None:
            continue
        params = _params(item, scope)
        if params is None:
            form.asked[item.name] = "waits"
        else:
            wanted.append((item, params))
    _fill(form, wanted)
    return Prefill(form.found, form.asked, form.choices)


def _fill(form: _Form, wanted: Wanted) -> None:
    """Ask each source once for all that is wanted of it, and nothing that this look has learnt already."""
    whose = (form.pack.hash, form.acting.account.pk, form.acting.subject_id, form.case_id, form.now)
    learnt: dict[Any, _Form] = seen(("prefill", *whose), dict)
    by_source: dict[str, Wanted] = {}
    keys = {
        item.name: (item.name, item.element, source.source, json.dumps(params, sort_keys=True, default=str))
        for item, params in wanted
        if (source := item.prefill) is not None
    }
    for item, params in wanted:
        if item.prefill is not None and keys[item.name] not in learnt:
            by_source.setdefault(item.prefill.source, []).append((item, params))
    for source, items in by_source.items():
        _DRAWERS.get(source, _by_handler)(form, items)
        learnt.update({keys[item.name]: form for item, _ in items})
    for item, _params in wanted:
        form.take(item.name, learnt[keys[item.name]])


def fill_sourced(
    pack: Pack,
    account: Account,
    subject_id: str,
    fields: Iterable[Field],
    answers: Mapping[str, Any],
    now: dt.datetime,
) -> dict[str, cases.Sourced]:
    """Return field → what its source says now, of those that can; the form filler of ``contexts.cases``.

    A record that lacks what is needed of it says nothing optional either: the optional fact is what a table asks to learn
    whether the record is there (``procedure.check_sourced``), and what was typed beside it must not pass for the record's.
    """
    acting, wanted = subjects.acting_of(account, subject_id), list(fields)
    held = prefill(pack, acting, now, answers=answers, fields=wanted).found
    halves = {
        record_behind(item)
        for item in wanted
        if item.required and item.when is None and item.name not in held
    }
    whole = {item.name for item in wanted if item.required or record_behind(item) not in halves}
    return {name: cases.Sourced(one.value, one.origin) for name, one in held.items() if name in whole}


def _scope(pack: Pack, acting: Acting, answers: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    day = legal_day(now)
    scope: dict[str, Any] = {
        "today": day.isoformat(),
        "actor.id": str(acting.account.pk),
        "actor.name": acting.account.display_name,
    }
    for name, parameter in pack.parameters.items():
        values = [value for value in parameter.values if value.start <= day]
        scope[f"parameters.{name}"] = values[-1].value if values else None
    scope.update({f"facts.{name}": value for name, value in answers.items()})
    return scope


def _params(item: Field, scope: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the parameters of a field's source; none while an answer that they hang on is missing."""
    assert item.prefill is not None
    for key, value in item.prefill.params.items():
        waits = not key.startswith(WHERE)
        if waits and any(name.startswith("facts.") and scope.get(name) in (None, "") for name in value.reads):
            return None
    try:
        return {
            name: value.evaluate({**dict.fromkeys(value.reads), **scope})
            for name, value in item.prefill.params.items()
        }
    except (Problem, TypeError, ValueError):
        return None


def _own_record(form: _Form, wanted: Wanted) -> None:
    elements = [str(params["element"]) for _, params in wanted]
    held = subjects.own_values(form.pack, form.acting, elements, form.now, case_id=form.case_id)
    for item, params in wanted:
        one = held[str(params["element"])]
        if isinstance(one, subjects.Missing):
            form.asked[item.name] = one.why
        else:
            form.put(item, _from_record(one))


def _from_record(held: subjects.Held) -> Prefilled:
    may = not held.disputed and not held.element.endswith(MADE_BY_SYSTEM)
    at = ("hall:dispute", held.element) if may else ()
    return Prefilled(
        held.value,
        held.source_title,
        held.source or "correction",
        held.at,
        held.element,
        may,
        held.disputed,
        at,
    )


def _certificate(form: _Form, wanted: Wanted) -> None:
    allowed, halted = subjects.allowed(form.pack, form.acting.subject_id, form.now, form.case_id)
    open_ones: dict[certificates.Pick, Field] = {}
    for item, params in wanted:
        code = f"certificate:{params['type']}"
        if why := _refused(form, item.element, code, allowed, halted):
            form.asked[item.name] = why
        else:
            open_ones[certificates.pick_of(params)] = item
    names = {key: item.element for key, item in open_ones.items()}
    drawn = certificates.draw_many(
        form.acting.account, form.acting.subject_id, names, form.now, case_id=form.case_id
    )
    missing = {key: names[key] for key in names if key not in drawn}
    several = (
        certificates.choices_in(
            form.acting.account, form.acting.subject_id, missing, form.now, case_id=form.case_id
        )
        if any(key[2] is not None for key in missing)
        else {}
    )
    for item, params in wanted:
        key = certificates.pick_of(params)
        if key in drawn:
            form.put(item, _from_certificate(drawn[key], item, *key[:2]))
        elif key in several:
            form.asked[item.name] = "several"
            if _picks_itself(item, key[1]):
                form.choices[item.name] = several[key]
        elif key in open_ones:
            form.asked[item.name] = "no-certificate"


def _picks_itself(item: Field, said: str) -> bool:
    """Whether what is answered here says which certificate is meant."""
    pick = item.prefill.picks.get(said) if item.prefill is not None else None
    return pick is not None and f"facts.{item.name}" in pick.reads


def _from_certificate(one: certificates.Drawn, item: Field, type_: str, name: str) -> Prefilled:
    title = {language: f"{text} {one.number}" for language, text in one.title.items()}
    disputed_at = ("hall:dispute_certificate", one.number, name)
    at = one.issued_at.date().isoformat()
    return Prefilled(one.value, title, f"certificate:{type_}", at, item.element, True, False, disputed_at)


def _earlier(form: _Form, wanted: Wanted) -> None:
    allowed, halted = subjects.allowed(form.pack, form.acting.subject_id, form.now, form.case_id)
    elements = {}
    for item, params in wanted:
        element = str(params["element"])
        if why := _refused(form, element, "earlier_case", allowed, halted):
            form.asked[item.name] = why
        else:
            elements[item.name] = element
    found = cases.earlier_answers(form.acting.account, form.acting.subject_id, set(elements.values()))
    for item, _params in wanted:
        if item.name in elements:
            one = found.get(elements[item.name])
            if one is None:
                form.asked[item.name] = "no-earlier"
                continue
            title = {
                "zh": f"您以前的申请“{one.pack['zh']}”",
                "en": f"your earlier application, {one.pack['en']}",
            }
            form.put(
                item, Prefilled(one.value, title, "earlier_case", one.at.date().isoformat(), one.element)
            )


def _refused(
    form: _Form, element: str, code: str, allowed: Mapping[str, frozenset[str]], halted: Mapping[str, str]
) -> str:
    if code in halted or code.partition(":")[0] in halted:
        return "halted"
    try:
        subjects.may_use(form.pack, element, code, allowed, form.acting.subject_id)
    except Problem:
        return "no-consent"
    return ""


def _premises(form: _Form, wanted: Wanted) -> None:
    by_place: dict[str, Wanted] = {}
    for item, params in wanted:
        by_place.setdefault(str(params.get("place_code") or ""), []).append((item, params))
    for place_code, items in by_place.items():
        held = subjects.premises_values(place_code, [str(params["element"]) for _, params in items])
        about = subjects.premises_at(place_code) if held else ""
        for item, params in items:
            one = held.get(str(params["element"]))
            if one is None:
                form.asked[item.name] = "no-record" if not held else "no-value"
            else:
                form.put(item, _of_place(one, about))


def _of_place(one: subjects.Held, about: str) -> Prefilled:
    """Return what a register says of a place; whoever knows it better says so to the department that keeps it."""
    may = bool(about) and not one.disputed and subjects.may_dispute_place(one.element)
    at = ("hall:dispute_place", about, one.element) if may else ()
    return Prefilled(one.value, one.source_title, one.source, one.at, one.element, may, one.disputed, at)


def _listed(form: _Form, wanted: Wanted) -> None:
    """Ask whole lists: a yes is disputed like any value, a no says as of which day the list has nobody of that name."""
    for item, params in wanted:
        element, since = str(params["list"]), str(params.get("since") or "")
        if "account" in params:
            one = subjects.listed_person(
                form.pack, form.acting, element, form.now, since=since, case_id=form.case_id
            )
            held = _from_record(one) if isinstance(one, subjects.Held) else None
            if held is not None and one.value == subjects.NOT_LISTED:
                held = replace(held, disputable=False, dispute_at=())
        else:
            one, about = subjects.listed_place(
                str(params.get("place_code") or ""), element, form.now, since=since
            )
            held = _of_place(one, about) if isinstance(one, subjects.Held) else None
        if isinstance(one, subjects.Missing) or held is None:
            form.asked[item.name] = one.why if isinstance(one, subjects.Missing) else "no-value"
        else:
            form.put(item, held)


def _by_handler(form: _Form, wanted: Wanted) -> None:
    """Ask any other source one field at a time (the account, a plug-in's own)."""
    for item, params in wanted:
        assert item.prefill is not None
        source = item.prefill.source
        request = SourceRequest(
            form.case_id, item.name, item.element, params, form.now, form.acting.subject_id, form.pack.id
        )
        try:
            value = registry.source_handler(source)(request)
        except Problem as problem:
            form.asked[item.name] = "no-consent" if problem.code == "consent-needed" else "halted"
            continue
        if value in (None, ""):
            form.asked[item.name] = "no-value"
            continue
        title = ACCOUNT_TITLE if source == "account" else RECORD_TITLE
        form.put(item, Prefilled(value, title, source, "", item.element))


_DRAWERS: Mapping[str, Drawer] = {
    "own_record": _own_record,
    "certificate": _certificate,
    "earlier_case": _earlier,
    "premises": _premises,
    "listed": _listed,
}
