"""The status lists and the trust list of this installation, made from the database when someone asks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from chengshu.contexts.certificates import credentials, domain, keys, signed_lists, token_status, trust
from chengshu.contexts.certificates.making import list_url
from chengshu.contexts.certificates.models import Issue, IssuerKey, Region, StatusList, WalletCredential
from chengshu.contexts.certificates.signatures.domain import Believed, to_json
from chengshu.contexts.certificates.signatures.keeping import believed, published
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem

# Which states of an issue set the bit of a list.
STATES = {"revocation": (domain.REVOKED, domain.REPLACED), "suspension": (domain.SUSPENDED,)}
TOKEN = "token"


def status_credential(list_id: int, purpose: str, now: dt.datetime) -> str:
    """Return a status list, signed now by its issuer: ``revocation`` and ``suspension`` as W3C bitstrings, ``token`` as JWT."""
    row = StatusList.objects.filter(pk=list_id).first()
    if (
        row is None
        or purpose not in (*STATES, TOKEN)
        or (row.kind != StatusList.Kind.ISSUE and purpose != TOKEN)
    ):
        raise Problem("status-list-unknown", "没有这个状态列表", detail=f"{list_id} {purpose}", status=404)
    key = keys.signing_key(row.issuer, keys.CREDENTIAL, now)
    issuer = keys.issuer_id(row.issuer)
    if purpose == TOKEN:
        uri = f"{list_url(row.pk)}/{TOKEN}"
        return token_status.status_token(uri, _values(row), issuer, key.jwk, now, row.size)
    indices = Issue.objects.filter(status_list=row, state__in=STATES[purpose]).values_list(
        "status_index", flat=True
    )
    return credentials.status_credential(list_url(row.pk), purpose, indices, issuer, key.jwk, now, row.size)


def _values(row: StatusList) -> Iterator[tuple[int, int]]:
    """Yield the places of a list that are not simply valid."""
    over = {domain.REVOKED: token_status.INVALID, domain.REPLACED: token_status.INVALID}
    words = {**over, domain.SUSPENDED: token_status.SUSPENDED}
    if row.kind == StatusList.Kind.ISSUE:
        states = Issue.objects.filter(status_list=row, state__in=words).values_list("status_index", "state")
        yield from ((index, words[state]) for index, state in states)
        return
    taken = WalletCredential.objects.filter(status_list=row)
    for index, state, withdrawn in taken.values_list("status_index", "issue__state", "withdrawn_at"):
        value = token_status.INVALID if withdrawn else words.get(state, token_status.VALID)
        if value:
            yield index, value


class LiveStatuses(Mapping[str, str]):
    """The status lists of this installation, each signed when it is looked up and not before."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self._made: dict[str, str] = {}

    def __getitem__(self, address: str) -> str:
        base, _, purpose = address.rpartition("/")
        number = base.rpartition("/")[2]
        if address not in self._made:
            if not number.isdigit() or f"{list_url(int(number))}/{purpose}" != address:
                raise KeyError(address)
            try:
                self._made[address] = status_credential(int(number), purpose, self.now)
            except Problem as problem:
                raise KeyError(address) from problem
        return self._made[address]

    def __iter__(self) -> Iterator[str]:
        for list_id, kind in StatusList.objects.order_by("pk").values_list("pk", "kind"):
            for purpose in (*credentials.PURPOSES, TOKEN) if kind == StatusList.Kind.ISSUE else (TOKEN,):
                yield f"{list_url(list_id)}/{purpose}"

    def __len__(self) -> int:
        return sum(1 for _ in self)


def trust_json(now: dt.datetime, *, regions: bool = True) -> dict[str, Any]:
    """Return this installation's trust list with its status lists: all that an offline verifier needs."""
    _renew_keys(now)
    signers = to_json(published()) if regions else {}
    return {
        **_said(now),
        "statuses": dict(LiveStatuses(now)),
        "regions": region_lists() if regions else [],
        **signers,
    }


def _renew_keys(now: dt.datetime) -> None:
    """Let every issuer with status lists have a key that runs: the lists are signed later, by a key that the list names."""
    running = {
        row.issuer
        for row in keys.public_keys()
        if row.use == keys.CREDENTIAL and row.retired_at is None and row.until - now > keys.RENEW_BEFORE
    }
    for issuer in set(StatusList.objects.values_list("issuer", flat=True)) - running:
        keys.signing_key(issuer, keys.CREDENTIAL, now)


def signed_trust(now: dt.datetime) -> str:
    """Return the trust list signed by the district's authority, without the regions that it recognises itself."""
    key = keys.signing_key(keys.DISTRICT, keys.AUTHORITY, now)
    older = [
        row
        for row in keys.public_keys()
        if row.issuer == keys.DISTRICT and row.use == keys.AUTHORITY and row.pk != key.row.pk
    ]
    said = json.loads(json.dumps(trust_json(now, regions=False)))
    forerunners = [keys.retired_key(row).jwk for row in older if row.compromised_at is None]
    return signed_lists.sign_list(said, key.jwk, forerunners)


def region_lists() -> list[dict[str, Any]]:
    """Return the recognised regions, the withdrawn ones too: a verifier says why it refuses them."""
    return [
        {
            "code": row.code,
            "name": {"zh": row.name_zh, "en": row.name_en},
            "types": row.types.split(),
            "valid_from": row.valid_from.isoformat(),
            "valid_to": row.valid_to.isoformat(),
            "withdrawn": row.withdrawn_at is not None,
            "list": signed_lists.open_list(row.document).said,
        }
        for row in Region.objects.order_by("code")
    ]


def _said(now: dt.datetime) -> dict[str, Any]:
    by_issuer: dict[str, list[IssuerKey]] = {}
    for key in keys.public_keys():
        # Keys of citizen codes are for windows, not for verifiers of certificates.
        if key.use != keys.CODE:
            by_issuer.setdefault(key.issuer, []).append(key)
    names = {row.code: {"zh": row.name_zh, "en": row.name_en} for row in identity.departments()}
    names[keys.DISTRICT] = keys.issuer_name(keys.DISTRICT)
    return {
        "format": trust.FORMAT,
        "district": dict(settings.DISTRICT["name"]),
        "made_at": now.isoformat(),
        "demo": bool(settings.DEMO),
        "issuers": [
            {
                "code": issuer,
                "id": keys.issuer_id(issuer),
                "name": names.get(issuer, {"zh": issuer, "en": issuer}),
                "keys": [_key(key) for key in rows],
            }
            for issuer, rows in sorted(by_issuer.items())
        ],
    }


def trust_list(now: dt.datetime, *, signers: bool = False) -> trust.TrustList:
    """Return the trust list as the verifier takes it; status lists are made when it asks for them.

    ``signers``: with the authorities of signatures, which only files need.
    """
    _renew_keys(now)
    said = json.loads(json.dumps({**_said(now), "statuses": {}}))
    own = trust.from_json(said)
    live = trust.TrustList(
        own.district,
        own.made_at,
        own.names,
        own.ids,
        own.keys,
        LiveStatuses(now),
        signers=believed() if signers else Believed(),
    )
    others = [trust.from_json(each["list"], trust.recognition_of(each)) for each in region_lists()]
    return trust.merge([live, *others])


def _key(key: IssuerKey) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "use": key.use,
        "jwk": json.loads(key.jwk),
        "certificate": key.certificate,
        "since": key.since.isoformat(),
        "until": key.until.isoformat(),
        "retired_at": key.retired_at.isoformat() if key.retired_at else None,
        "compromised_at": key.compromised_at.isoformat() if key.compromised_at else None,
    }
