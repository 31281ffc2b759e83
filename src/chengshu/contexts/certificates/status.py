"""The status lists and the trust list of this installation, made from the database when someone asks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.conf import settings

from chengshu.contexts.certificates import credentials, domain, keys, trust
from chengshu.contexts.certificates.models import Issue, IssuerKey, StatusList
from chengshu.contexts.certificates.producing import list_url
from chengshu.kernel.problems import Problem

# Which states of an issue set the bit of a list.
STATES = {"revocation": (domain.REVOKED, domain.REPLACED), "suspension": (domain.SUSPENDED,)}


def status_credential(list_id: int, purpose: str, now: dt.datetime) -> str:
    """Return a status list, signed now by its issuer."""
    row = StatusList.objects.filter(pk=list_id).first()
    if row is None or purpose not in STATES:
        raise Problem("status-list-unknown", "没有这个状态列表", detail=f"{list_id} {purpose}", status=404)
    indices = Issue.objects.filter(status_list=row, state__in=STATES[purpose]).values_list(
        "status_index", flat=True
    )
    key = keys.signing_key(row.issuer, keys.CREDENTIAL, now)
    issuer = keys.issuer_id(row.issuer)
    return credentials.status_credential(list_url(row.pk), purpose, indices, issuer, key.jwk, now, row.size)


def trust_json(now: dt.datetime) -> dict[str, Any]:
    """Return this installation's trust list with its status lists: all that an offline verifier needs."""
    statuses = {
        f"{list_url(list_id)}/{purpose}": status_credential(list_id, purpose, now)
        for list_id in StatusList.objects.order_by("pk").values_list("pk", flat=True)
        for purpose in credentials.PURPOSES
    }
    # After the lists: signing them may have made a key.
    by_issuer: dict[str, list[IssuerKey]] = {}
    for key in keys.public_keys():
        by_issuer.setdefault(key.issuer, []).append(key)
    return {
        "format": trust.FORMAT,
        "district": dict(settings.DISTRICT["name"]),
        "made_at": now.isoformat(),
        "demo": bool(settings.DEMO),
        "issuers": [
            {
                "code": issuer,
                "id": keys.issuer_id(issuer),
                "name": keys.issuer_name(issuer),
                "keys": [_key(key) for key in rows],
            }
            for issuer, rows in sorted(by_issuer.items())
        ],
        "statuses": statuses,
    }


def trust_list(now: dt.datetime) -> trust.TrustList:
    """Return the trust list as the verifier takes it."""
    return trust.from_json(json.loads(json.dumps(trust_json(now))))


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
