"""The field source ``certificate``: a field of a certificate in force fills a form, and the look is put on record."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from chengshu.contexts.certificates import domain, words
from chengshu.contexts.certificates.models import Certificate, RegisterKey
from chengshu.contexts.identity import api as identity
from chengshu.kernel.one_look import seen
from chengshu.kernel.terms import legal_day
from chengshu.procedure.ports import SourceRequest

# Which certificate is meant: its type, the field wanted, and what must stand in it. None: the newest one will do.
Pick = tuple[str, str, tuple[tuple[str, str], ...] | None]
WHERE = "where."


@dataclass(frozen=True, slots=True)
class Drawn:
    """A value out of a certificate, with what it stands on."""

    value: Any
    number: str
    title: dict[str, str]
    issuer: str
    issued_at: dt.datetime


def certificate_field(request: SourceRequest) -> Any:
    """Return a field of the certificate of a type in force that is meant, of whom the matter is; ``None`` without one."""
    account_id = str(request.params.get("account") or "")
    account = identity.account(int(account_id)) if account_id.isdigit() else None
    if account is None:
        return None
    pick = pick_of(request.params)
    found = draw_many(
        account, request.subject_id, {pick: request.element}, request.now, case_id=request.case_id
    )
    return found[pick].value if pick in found else None


def pick_of(params: Mapping[str, Any]) -> Pick:
    """Return which certificate the parameters of a source mean; a condition without a value sets none."""
    given = {name.removeprefix(WHERE): value for name, value in params.items() if name.startswith(WHERE)}
    where = tuple(
        (name, str(value).strip()) for name, value in sorted(given.items()) if value not in (None, "")
    )
    return str(params["type"]), str(params["field"]), where if given else None


def draw_many(
    account: identity.Account,
    subject_id: str,
    wanted: Mapping[Pick, str],
    now: dt.datetime,
    *,
    case_id: str = "",
) -> dict[Pick, Drawn]:
    """Return pick → value out of certificates in force; two queries and one look on record for a whole form.

    ``wanted`` maps each pick to the data element that it fills. Where the pack says which certificate is meant, one that
    is not the only one to fit says nothing: nobody but the person knows which child it is about.
    """
    held = _held(account, subject_id, {type_ for type_, *_ in wanted}, now)
    found: dict[Pick, Drawn] = {}
    looked: dict[str, list[str]] = {}
    for pick, element in wanted.items():
        row = _meant(held.get(pick[0], []), pick)
        value = field_of(row, pick[1]) if row is not None else None
        if row is None or value is None:
            continue
        title = {"zh": row.title_zh, "en": row.title_en}
        found[pick] = Drawn(value, row.number, title, row.department or "district", row.issued_at)
        if row.holder_id:
            looked.setdefault(row.holder_id, []).append(element or f"certificate.{pick[0]}")
    for holder_id, elements in looked.items():
        _note(account, holder_id, elements, now, case_id)
    return found


def choices_in(
    account: identity.Account,
    subject_id: str,
    wanted: Mapping[Pick, str],
    now: dt.datetime,
    *,
    case_id: str = "",
) -> dict[Pick, list[str]]:
    """Return pick → what the fitting certificates say there, where several do: the person chooses among them."""
    held = _held(account, subject_id, {type_ for type_, *_ in wanted}, now)
    found: dict[Pick, list[str]] = {}
    for pick, element in wanted.items():
        rows = [row for row in held.get(pick[0], []) if _fits(row, pick)]
        values = [str(value) for row in rows if (value := field_of(row, pick[1])) is not None]
        if len(rows) > 1 and values:
            found[pick] = list(dict.fromkeys(values))
            for holder_id in sorted({row.holder_id for row in rows} - {""}):
                _note(account, holder_id, [element or f"certificate.{pick[0]}"], now, case_id)
    return found


def _held(
    account: identity.Account, subject_id: str, types: Collection[str], now: dt.datetime
) -> dict[str, list[Certificate]]:
    """Return type → the certificates of it that are in force now, oldest first; one query."""
    wanted = sorted(types)
    return seen(
        ("certificates-held", account.pk, subject_id, *wanted, legal_day(now)),
        lambda: _in_force(account, subject_id, wanted, legal_day(now)),
    )


def _in_force(
    account: identity.Account, subject_id: str, types: list[str], on: dt.date
) -> dict[str, list[Certificate]]:
    rows = Certificate.objects.filter(
        _theirs(account, subject_id), type__in=types, state=domain.ACTIVE, valid_from__lte=on
    )
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gte=on)).order_by("issued_at", "pk")
    found: dict[str, list[Certificate]] = {}
    for row in rows:
        found.setdefault(row.type, []).append(row)
    return found


def _meant(rows: list[Certificate], pick: Pick) -> Certificate | None:
    """Return the certificate that a pick means: the newest, or the only one that fits."""
    if pick[2] is None:
        return rows[-1] if rows else None
    fitting = [row for row in rows if _fits(row, pick)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(row: Certificate, pick: Pick) -> bool:
    return all(str(field_of(row, name) or "").strip() == value for name, value in pick[2] or ())


def _note(
    account: identity.Account, holder_id: str, elements: list[str], now: dt.datetime, case_id: str
) -> None:
    purpose = "own-data" if holder_id == account.subject_id else _purpose(account)
    identity.record_read(account, holder_id, purpose, elements, now, case_id=case_id)


def _theirs(account: identity.Account, subject_id: str) -> Q:
    """Return whose certificates are meant. ``subject_id``: for whom ``account`` acts; empty or its own: for itself."""
    own = not subject_id or subject_id == account.subject_id
    whose = subject_id or account.subject_id
    mine = Q(holder_id=whose) if whose else Q()
    return mine | Q(holder_account=str(account.pk)) if own else mine


def field_of(row: Certificate, field: str) -> Any:
    """Return a claim of a certificate, or what every certificate says, in the plain form that facts have."""
    claims = words.raw(json.loads(row.claims))
    if field in claims:
        return claims[field]
    frame = {
        "number": row.number,
        "holder": row.holder,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "issued_on": legal_day(row.issued_at).isoformat(),
        "department": row.department,
    }
    return frame.get(field)


def _purpose(account: identity.Account) -> str:
    """Return for what someone reads another's certificate: to act for them; the gatekeeper looks whether they may."""
    return "acting" if "acting" in identity.PURPOSES_OF_ROLE[account.role] else "case-work"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a certificate, as its holder sees it."""

    title: dict[str, str]
    label: dict[str, str]
    value: str
    department: str


FRAME_LABELS = {
    "number": {"zh": "证照编号", "en": "Number"},
    "holder": {"zh": "持证人", "en": "Holder"},
    "valid_from": {"zh": "有效期自", "en": "Valid from"},
    "valid_to": {"zh": "有效期至", "en": "Valid to"},
    "issued_on": {"zh": "发证日期", "en": "Issued on"},
    "department": {"zh": "发证部门", "en": "Issued by"},
}


def line_in(
    account: identity.Account, subject_id: str, number: str, name: str, now: dt.datetime
) -> Line | None:
    """Return one line of a certificate that its holder looks at, or who acts for them; the look is on record."""
    row = Certificate.objects.filter(_theirs(account, subject_id), number=number).first()
    value = field_of(row, name) if row is not None else None
    if row is None or value is None:
        return None
    if row.holder_id:
        _note(account, row.holder_id, [f"certificate.{row.type}"], now, "")
    said = next((item for item in json.loads(row.claims) if item["name"] == name), None)
    shown = said["value"]["zh"] if said else str(value)
    return Line({"zh": row.title_zh, "en": row.title_en}, _label(said, name), str(shown), row.department)


def label_in(number: str, name: str) -> dict[str, str]:
    """Return what a line of a certificate is called."""
    row = Certificate.objects.filter(number=number).first()
    items = json.loads(row.claims) if row is not None else []
    return _label(next((item for item in items if item["name"] == name), None), name)


def _label(said: dict[str, Any] | None, name: str) -> dict[str, str]:
    return dict(said["label"]) if said else dict(FRAME_LABELS.get(name, {"zh": name, "en": name}))


def holders_in_force(type_: str, on: dt.date) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield (account, subject, number, claims) of every certificate of a type in force on a day; one of the two may be empty."""
    rows = Certificate.objects.filter(type=type_, state=domain.ACTIVE, valid_from__lte=on)
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gte=on)).order_by("pk")
    for row in rows.iterator(chunk_size=1000):
        claims = {"number": row.number, **words.raw(json.loads(row.claims))}
        yield row.holder_account, row.holder_id, row.number, claims


def keys_held(register: str, keys: Collection[str]) -> set[str]:
    """Return which keys of a register a running or granted application holds."""
    found: set[str] = set()
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), 500):
        piece = RegisterKey.objects.filter(register=register, key__in=wanted[start : start + 500])
        found.update(piece.values_list("key", flat=True))
    return found
