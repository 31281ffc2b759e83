"""The effects on registers: a key is reserved, an entry made, changed, closed; all inside the step's transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import words
from chengshu.contexts.certificates.domain import check_validity, day_of, optional_day
from chengshu.contexts.certificates.models import EntryEvent, Register, RegisterEntry, RegisterKey
from chengshu.contexts.certificates.numbering import next_number
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.procedure.ports import EffectRequest

MAX_KEY, MAX_TITLE = 200, 300


def reserve_key(request: EffectRequest) -> Mapping[str, Any]:
    """Reserve a key of a register for this case; refused as ``register-taken`` while another case or entry has it."""
    _hold(request, _key(request.params["key"]))
    return {}


def keep_key(request: EffectRequest) -> Mapping[str, Any]:
    """Keep what this case has reserved in a register after its end: what it grants can be had only once."""
    register = str(request.params["register"])
    held = RegisterKey.objects.filter(register=register, case_id__in=cases.case_line(request.case_id))
    if not held.update(kept=True):
        raise Problem(
            "key-missing",
            "这个办件在登记簿里没有占用登记键",
            detail=f"{register} {request.case_id}",
            remedy="reserve_key in the pack before keep_key",
            status=409,
        )
    return {}


def release_key(request: EffectRequest) -> Mapping[str, Any]:
    """Free what this case has kept in a register: the grant is undone."""
    release_kept(request.case_id, str(request.params["register"]))
    return {}


def release_kept(case_id: str, register: str = "") -> None:
    """Free the keys that a case, or one that it descends from, has kept; those of one register, or all."""
    held = RegisterKey.objects.filter(case_id__in=cases.case_line(case_id), kept=True)
    (held.filter(register=register) if register else held).filter(entered=False).delete()


def register_entry(request: EffectRequest) -> Mapping[str, Any]:
    """Make an entry of a register; its number is the next one of the register."""
    params, now = request.params, request.now
    register, key = str(params["register"]), _key(params["key"])
    valid_from, valid_to = day_of(params["valid_from"]), optional_day(params.get("valid_to"))
    check_validity(valid_from, valid_to)
    holder = _hold(request, key)
    if holder.entered:
        raise _taken(request, holder)
    RegisterKey.objects.filter(pk=holder.pk).update(entered=True)
    title = words.title(request.case_id, "registers", register)
    Register.objects.update_or_create(
        code=register, defaults={"title_zh": title["zh"][:120], "title_en": title["en"][:200]}
    )
    shown = cases.described(request.case_id, params.get("fields"))
    number = next_number(f"register:{register}", 0)
    leaf = _deposit("register.enter", register, number, {"key": key, "fields": words.raw(shown)}, now)
    entry = RegisterEntry.objects.create(
        register=register,
        number=number,
        key=key,
        title=str(params["title"])[:MAX_TITLE],
        search=_searchable(number, str(params["title"]), shown),
        fields=words.dump(shown),
        case_id=request.case_id,
        department=cases.case_brief(request.case_id).department,
        valid_from=valid_from,
        valid_to=valid_to,
        entered_at=now,
        leaf_id=leaf,
    )
    EntryEvent.objects.create(entry=entry, kind="enter", leaf_id=leaf, at=now)
    return {"register": register, "number": number}


def update_entry(request: EffectRequest) -> Mapping[str, Any]:
    """Change the entry in force of this case (or of one that it descends from)."""
    params, now = request.params, request.now
    entry = _entry_of(request)
    given = dict(params.get("fields") or {})
    if params.get("holder"):
        given["holder"] = params["holder"]
    shown = json.loads(entry.fields)
    fresh = cases.described(request.case_id, given)
    before = {name: value for name, value in words.raw(shown).items() if name in words.raw(fresh)}
    shown = words.merged(shown, fresh)
    changes: dict[str, Any] = {"before": before, "after": words.raw(fresh)}
    if params.get("title"):
        changes["title"] = [entry.title, str(params["title"])[:MAX_TITLE]]
        entry.title = str(params["title"])[:MAX_TITLE]
    if params.get("valid_to"):
        until = day_of(params["valid_to"])
        check_validity(entry.valid_from, until)
        changes["valid_to"] = [entry.valid_to.isoformat() if entry.valid_to else "", until.isoformat()]
        entry.valid_to = until
    entry.fields, entry.search = words.dump(shown), _searchable(entry.number, entry.title, shown)
    entry.save(update_fields=["title", "valid_to", "fields", "search"])
    _note(entry, "update", "", changes, now)
    return {"register": entry.register, "number": entry.number}


def close_entry(request: EffectRequest) -> Mapping[str, Any]:
    """Close the entry in force of this case (or of one that it descends from); its key is free again."""
    entry, how = _entry_of(request), str(request.params["how"])
    entry.state, entry.closed_at = how, request.now
    entry.save(update_fields=["state", "closed_at"])
    RegisterKey.objects.filter(register=entry.register, key=entry.key, entered=True).delete()
    _note(entry, how, str(request.params.get("reason") or "")[:300], {}, request.now)
    return {"register": entry.register, "number": entry.number, "how": how}


def _hold(request: EffectRequest, key: str) -> RegisterKey:
    """Return the key as held by this case, taking it over from a case that ended without an entry or a grant."""
    register, case_id, now = str(request.params["register"]), request.case_id, request.now
    try:
        with transaction.atomic():
            return RegisterKey.objects.create(register=register, key=key, case_id=case_id, at=now)
    except IntegrityError:
        held = RegisterKey.objects.select_for_update().filter(register=register, key=key).first()
    if held is None:
        return _hold(request, key)
    if held.case_id in cases.case_line(case_id):
        return held
    if held.entered or held.kept or not cases.case_brief(held.case_id).ended:
        raise _taken(request, held)
    RegisterKey.objects.filter(pk=held.pk).update(case_id=case_id, at=now)
    held.case_id = case_id
    return held


def _taken(request: EffectRequest, held: RegisterKey) -> Problem:
    """Return the refusal; the number of the case that has the key is for those who may see that case."""
    register = held.register
    viewer = identity.account(int(request.actor.id)) if request.actor.id.isdigit() else None
    earlier = ""
    if viewer is not None and cases.may_see(held.case_id, viewer, request.now):
        earlier = held.case_id
    return Problem(
        "register-taken",
        "这件事只能办一次，已经办过" if held.kept else "已经有同样的登记，或者同样的申请正在办理",
        detail=f"{register} {earlier}".strip(),
        remedy=f"请看此前的办件 {earlier}"
        if earlier
        else "先在登记簿里查询；如认为对方的登记有误，可以提出异议",
        status=409,
        **({"case": earlier} if earlier else {}),
    )


def _entry_of(request: EffectRequest) -> RegisterEntry:
    line = cases.case_line(request.case_id)
    found = (
        RegisterEntry.objects.select_for_update()
        .filter(case_id__in=line, register=str(request.params["register"]), state=RegisterEntry.State.ACTIVE)
        .order_by("-number")
        .first()
    )
    if found is None:
        raise Problem(
            "entry-missing",
            "这个办件在登记簿里没有有效的登记",
            detail=f"{request.params['register']} {request.case_id}",
            status=409,
        )
    return found


def _note(entry: RegisterEntry, kind: str, reason: str, changes: Mapping[str, Any], now: dt.datetime) -> None:
    said = {"reason": reason, "changes": dict(changes)}
    leaf = _deposit(f"register.{kind}", entry.register, entry.number, said, now)
    EntryEvent.objects.create(
        entry=entry,
        kind=kind,
        reason=reason,
        changes=json.dumps(changes, ensure_ascii=False),
        leaf_id=leaf,
        at=now,
    )


def _deposit(kind: str, register: str, number: int, payload: Mapping[str, Any], now: dt.datetime) -> int:
    said = json.loads(json.dumps(payload, default=str))
    return int(ledger.deposit(kind, f"register:{register}:{number}", said, now=now).id)


def _searchable(number: int, title: str, shown: list[words.Shown]) -> str:
    return " ".join([str(number), title, *(item["value"]["zh"] for item in shown)]).lower()


def _key(value: Any) -> str:
    key = " ".join(str(value).split())
    if not 0 < len(key) <= MAX_KEY:
        raise Problem("register-key", "登记键为 1 到 200 个字符", detail=key[:60], status=422)
    return key
