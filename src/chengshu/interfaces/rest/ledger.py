"""REST calls of the context `ledger`: open to everyone, for verification needs no leave."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from chengshu.contexts.ledger import api
from chengshu.interfaces.rest.authentication import OPEN
from chengshu.kernel.problems import Problem

router = Router(tags=["ledger"], auth=OPEN)
# What both databases hold as a key.
Number = Annotated[int, Path(..., ge=0, le=2**63 - 1)]


class EntryOut(Schema):
    """One entry of the ledger."""

    id: int
    position: int | None = Field(
        description="Place in the log; null until numbered, within a second as a rule."
    )
    kind: str
    reference: str
    at: dt.datetime
    digest: str = Field(description="SHA-256 over salt and canonical JSON of the payload, hexadecimal.")


class EntriesOut(Schema):
    """A page of entries, newest first."""

    items: list[EntryOut]
    next_before: int | None = Field(description="Give it as `before` for the next page; null on the last.")


class ReceiptOut(Schema):
    """The proof that an entry stands in the log."""

    leaf_id: int
    position: int
    leaf: str = Field(description="The text whose hash is the leaf: hash(0x00 + text).")
    checkpoint: str = Field(description="Signed note (C2SP tlog-checkpoint).")
    proof: list[str] = Field(description="Inclusion proof of RFC 6962, from the leaf up, hexadecimal.")
    suite: str


class CheckpointOut(Schema):
    """The newest tree head."""

    origin: str
    size: int
    root: str
    suite: str
    at: dt.datetime
    note: str
    keys: list[str]
    cosigned_by: list[str]


@router.get("/entries", response=EntriesOut, summary="List entries by reference and kind")
def entries(
    request: HttpRequest,
    reference: str = Query("", max_length=200, description="Beginning of the reference."),
    kind: str = Query("", max_length=60),
    before: int | None = Query(None, ge=0, le=2**63 - 1),
    number: int = Query(50, ge=1, le=500),
) -> dict[str, Any]:
    """List entries, newest first."""
    found = api.find_entries(reference=reference, kind=kind, before=before, number=number + 1)
    more = found[number - 1].id if len(found) > number else None
    return {"items": found[:number], "next_before": more}


@router.get("/entries/{leaf_id}", response=EntryOut, summary="One entry")
def entry(request: HttpRequest, leaf_id: Number) -> api.Entry:
    """Return one entry."""
    found = api.entry(leaf_id)
    if found is None:
        raise Problem("entry-unknown", "没有这条存证", status=404)
    return found


@router.get("/entries/{leaf_id}/proof", response=ReceiptOut, summary="Proof of one entry")
def proof(request: HttpRequest, leaf_id: Number) -> dict[str, Any]:
    """Return the receipt of one entry."""
    found = api.receipt(leaf_id)
    if found is None:
        waits = api.entry(leaf_id) is not None
        title = "这条存证还在等待编号" if waits else "没有这条存证"
        raise Problem("proof-not-ready" if waits else "entry-unknown", title, status=409 if waits else 404)
    return found.to_dict()


@router.get("/checkpoint", response=CheckpointOut, summary="The newest signed checkpoint")
def checkpoint(request: HttpRequest) -> dict[str, Any]:
    """Return the newest signed checkpoint with its cosignatures."""
    note, heads = api.checkpoint(), api.checkpoints(1)
    if note is None or not heads:
        raise Problem("ledger-empty", "还没有检查点", status=404)
    state = api.status()
    return {
        **heads[0],
        "origin": state["origin"],
        "suite": state["suite"],
        "note": note,
        "keys": api.log_keys(),
    }
