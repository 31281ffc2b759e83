"""Places in the status lists: one at random for each issue and each wallet's credential, so that a neighbour tells nothing."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db.models import F

from chengshu.contexts.certificates.credentials import LIST_SIZE
from chengshu.contexts.certificates.models import Issue, StatusList, WalletCredential


def take(issuer: str, kind: str, now: dt.datetime) -> tuple[StatusList, int]:
    """Take a place in an issuer's list; the caller's row keeps it, by constraint."""
    found = (
        StatusList.objects.filter(issuer=issuer, kind=kind, taken__lt=F("size") / 2).order_by("pk").first()
    )
    if found is None:
        found = StatusList.objects.create(issuer=issuer, kind=kind, size=LIST_SIZE, opened_at=now)
    StatusList.objects.filter(pk=found.pk).update(taken=F("taken") + 1)
    rows = Issue.objects if kind == StatusList.Kind.ISSUE else WalletCredential.objects
    while True:
        # At most half full: two tries on average. The constraint catches what two transactions chose alike.
        index = secrets.randbelow(found.size)
        if not rows.filter(status_list=found, status_index=index).exists():
            return found, index
