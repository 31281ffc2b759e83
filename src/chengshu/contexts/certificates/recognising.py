"""Mutual recognition: another region's signed list is taken in, renewed and withdrawn; what it may issue here has limits.

Whoever takes a list in for the first time compares its fingerprint by another way (telephone, an official letter). The next
lists must be signed by the same authority, or by one that it has handed over to.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from chengshu.contexts.certificates import (
    credential_types,
    credentials,
    keys,
    signed_lists,
    suites,
    trust,
)
from chengshu.contexts.certificates.models import IssuerKey, Region
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day


@dataclass(frozen=True, slots=True)
class Terms:
    """How far a region is recognised."""

    code: str
    name: Mapping[str, str]
    types: frozenset[str]
    valid_from: dt.date
    valid_to: dt.date


@dataclass(frozen=True, slots=True)
class RegionLine:
    """A recognised region as lists show it: state is in-force, over, not-yet or withdrawn."""

    code: str
    name: dict[str, str]
    types: list[dict[str, str]]
    valid_from: dt.date
    valid_to: dt.date
    made_at: dt.datetime
    state: str


def fingerprint(now: dt.datetime) -> str:
    """Return the fingerprint of this district's authority: what another region's operator compares."""
    key = keys.signing_key(keys.DISTRICT, keys.AUTHORITY, now)
    return suites.thumbprint_of(json.loads(key.row.jwk))


def recognise(text: str, terms: Terms, *, signer: str, by: str, now: dt.datetime) -> Region:
    """Take in a region's list for the first time, or on new terms; ``signer`` is the fingerprint that was compared."""
    opened = _opened(text)
    if opened.signer != signer:
        raise Problem(
            "region-fingerprint",
            "名单的指纹与核对的不一致",
            detail=f"名单：{opened.signer}",
            remedy="请用另一种方式（电话、公函）再核对一次",
            status=422,
        )
    if not terms.types or terms.valid_to < terms.valid_from:
        raise Problem("region-terms", "互认要写明证照种类和有效期", status=422)
    with transaction.atomic():
        row = Region.objects.select_for_update().filter(code=terms.code).first() or Region(code=terms.code)
        row.name_zh, row.name_en = terms.name["zh"], terms.name["en"]
        row.types, row.signer = " ".join(sorted(terms.types)), opened.signer
        row.valid_from, row.valid_to, row.withdrawn_at = terms.valid_from, terms.valid_to, None
        _keep(row, text, opened, "recognised", by, now)
    return row


def renew(code: str, text: str, *, by: str, now: dt.datetime) -> Region:
    """Take in a region's newer list: signed by the known authority or its follower, and not older than the last."""
    opened = _opened(text)
    with transaction.atomic():
        row = _region(code)
        if row.signer != opened.signer and row.signer not in opened.forerunners:
            raise Problem(
                "region-signer",
                "名单不是由已核对的机构或其继任者签署的",
                detail=opened.signer,
                remedy="核对指纹后用 chengshu certificate region add 重新认可",
                status=422,
            )
        if credentials.read_instant(opened.said["made_at"]) < row.made_at:
            raise Problem("region-older", "这份名单比现有的旧", detail=opened.said["made_at"], status=409)
        row.signer = opened.signer
        _keep(row, text, opened, "renewed", by, now)
    return row


def withdraw(code: str, *, by: str, now: dt.datetime) -> Region:
    """Stop recognising a region: whatever it issued is refused from now on, with the reason."""
    with transaction.atomic():
        row = _region(code)
        row.withdrawn_at = now
        said = {"region": code, "how": "withdrawn", "by": by}
        row.leaf_id = ledger.deposit("trust.region", f"region:{code}", said, now=now).id
        row.save()
    return row


def regions(now: dt.datetime) -> list[RegionLine]:
    """Return the recognised regions by code."""
    on, known = legal_day(now), credential_types.known_types()
    lines = []
    for row in Region.objects.order_by("code"):
        types = [
            dict(known[code].title) if code in known else {"zh": code, "en": code}
            for code in row.types.split()
        ]
        name = {"zh": row.name_zh, "en": row.name_en}
        lines.append(
            RegionLine(row.code, name, types, row.valid_from, row.valid_to, row.made_at, _state(row, on))
        )
    return lines


def _state(row: Region, on: dt.date) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if on > row.valid_to:
        return "over"
    return "not-yet" if on < row.valid_from else "in-force"


def _region(code: str) -> Region:
    row = Region.objects.select_for_update().filter(code=code).first()
    if row is None:
        raise Problem("region-unknown", "没有认可过这个地区", detail=code, status=404)
    return row


def _opened(text: str) -> signed_lists.SignedList:
    try:
        opened = signed_lists.open_list(text.strip())
        found = trust.from_json(opened.said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(
            "region-list",
            "这不是一份签过名的信任名单",
            detail=str(error)[:200],
            remedy="向对方索取 /verify/trust-list.jwt",
            status=422,
        ) from error
    _refuse_our_keys(found.keys)
    return opened


def _refuse_our_keys(kids: Iterable[str]) -> None:
    """Refuse a list that names keys of our own: nobody may speak for us."""
    clash = IssuerKey.objects.filter(kid__in=list(kids)).values_list("kid", flat=True).first()
    if clash:
        raise Problem("region-own-keys", "名单里有本地区自己的密钥", detail=clash, status=422)


def _keep(
    row: Region, text: str, opened: signed_lists.SignedList, how: str, by: str, now: dt.datetime
) -> None:
    row.document = text.strip()
    row.made_at = credentials.read_instant(opened.said["made_at"])
    row.imported_at, row.imported_by = now, by[:80]
    said = {"region": row.code, "how": how, "signer": row.signer, "types": row.types.split(), "by": by}
    row.leaf_id = ledger.deposit("trust.region", f"region:{row.code}", said, now=now).id
    row.save()
