"""Officers write the guides of their own department: draft, preview, publish as a new version, withdraw, bring back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404

from chengshu.contexts.hall.items import loading
from chengshu.contexts.hall.items.elements import KINDS, Body
from chengshu.contexts.hall.items.models import Item, ItemDraft, ItemVersion
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem

# The elements that the officer's form holds.
EDITABLE = (
    "name", "name_en", "aliases", "kind", "themes", "audiences", "conditions", "materials", "legal_basis",
    "statutory_days", "statutory_unit", "promised_days", "promised_unit", "fee", "windows", "consult_phones", "visits", "online",
    "online_url", "courier", "result",
)  # fmt: skip


def item_of_officer(code: str, account: identity.Account) -> Item:
    """Return an item of the officer's own department; others' are not there for them."""
    found = (
        Item.objects.select_related("draft").filter(pk=code, department=account.department_id or "-").first()
    )
    if found is None:
        raise Http404
    return found


def draft_of(item: Item) -> ItemDraft | None:
    """Return the unpublished change of a guide."""
    return getattr(item, "draft", None)


@dataclass(frozen=True, slots=True)
class Newer:
    """An element that another edit or a load has changed since a draft was begun; ``both``: the draft changes it, too."""

    element: str
    now: Any
    both: bool


def to_edit(item: Item) -> tuple[Body, list[Newer]]:
    """Return what an officer goes on from: the draft, laid over the newer version where there is one; and what is newer."""
    draft = draft_of(item)
    if draft is None:
        return item.body, []
    if draft.based_on == item.version:
        return draft.body, []
    versions = ItemVersion.objects.filter(item=item, number=draft.based_on)
    begun_on: Body = versions.values_list("body", flat=True).first() or {}
    mine = {name: draft.body[name] for name in EDITABLE if draft.body.get(name) != begun_on.get(name)}
    changed = loading.differences(begun_on, item.body) if begun_on else []
    newer = [
        Newer(each["element"], each["new"], each["element"] in mine and mine[each["element"]] != each["new"])
        for each in changed
    ]
    return {**item.body, **mine}, newer


def save_draft(
    item: Item,
    values: dict[str, Any],
    account: identity.Account,
    now: dt.datetime,
    *,
    based_on: int | None = None,
) -> ItemDraft:
    """Keep a changed guide without publishing it; ``based_on`` is the version that stood in the form, else the draft's."""
    body = {**item.body, **{name: values[name] for name in EDITABLE if name in values}}
    _check(body)
    known = draft_of(item)
    if based_on is None:
        based_on = known.based_on if known else item.version
    draft, _made = ItemDraft.objects.update_or_create(
        item=item,
        defaults={
            "body": body,
            "based_on": min(based_on, item.version),
            "saved_at": now,
            "saved_by": account.display_name,
        },
    )
    return draft


def discard_draft(item: Item) -> None:
    """Forget the unpublished change."""
    ItemDraft.objects.filter(item=item).delete()


def publish(
    code: str, account: identity.Account, now: dt.datetime, *, expected: int, reason: str = ""
) -> Item:
    """Publish the draft of a guide as its next version.

    ``expected`` is the version that the officer saw; a guide that changed meanwhile raises ``Problem``.
    """
    with transaction.atomic():
        item = _locked(code, account, expected)
        draft = ItemDraft.objects.filter(item=item).first()
        if draft is None:
            raise Problem("guide-without-draft", "没有可以发布的修改", remedy="先保存修改", status=409)
        if draft.based_on != item.version:
            raise Problem(
                "guide-outdated",
                "修改期间这份指南有了新的一版，直接发布会盖掉新的内容",
                detail=f"{draft.based_on} < {item.version}",
                remedy="请点“接着改”，核对新的内容，保存后再发布",
                status=409,
            )
        return _next(item, dict(draft.body), Item.State.PUBLISHED, account, now, reason)


def withdraw(code: str, account: identity.Account, now: dt.datetime, *, expected: int, reason: str) -> Item:
    """Take a guide back from the public; its versions stay."""
    with transaction.atomic():
        item = _locked(code, account, expected)
        return _next(item, dict(item.body), Item.State.WITHDRAWN, account, now, reason)


def bring_back(code: str, account: identity.Account, now: dt.datetime, *, expected: int) -> Item:
    """Show a withdrawn guide to the public again."""
    with transaction.atomic():
        item = _locked(code, account, expected)
        return _next(item, dict(item.body), Item.State.PUBLISHED, account, now, "")


def make(
    values: dict[str, Any], account: identity.Account, now: dt.datetime, *, code: str, area: str
) -> Item:
    """Make a new guide of the officer's department; it is withdrawn until it is published."""
    if Item.objects.filter(pk=code).exists():
        raise Problem("item-code-taken", "这个事项编码已经有了", detail=code, status=409)
    department = identity.department_name(account.department_id or "")
    empty = loading.body_of(
        {
            "TASK_CODE": code,
            "TASK_NAME": values["name"],
            "TASK_TYPE": values["kind"],
            "DEPT_NAME": department["zh"],
        }
    )
    body = {
        **empty,
        **{name: values[name] for name in EDITABLE if name in values},
        "department": account.department_id or "",
        "area_code": area,
        "level": "区级",
    }
    _check(body)
    with transaction.atomic():
        item = Item(
            code=code,
            body=body,
            digest="",
            state=Item.State.WITHDRAWN,
            version=0,
            changed_at=now,
            source="guide",
            **loading.columns_of(body),
        )
        item.save()
        return _next(item, body, Item.State.WITHDRAWN, account, now, "")


def _locked(code: str, account: identity.Account, expected: int) -> Item:
    item_of_officer(code, account)
    item = Item.objects.select_for_update().get(pk=code)
    if item.version != expected:
        raise Problem(
            "guide-changed",
            "这份指南已被修改，请看过新的一版再操作",
            detail=f"{item.version} ≠ {expected}",
            status=409,
        )
    return item


def _next(
    item: Item, body: Body, state: str, account: identity.Account, now: dt.datetime, reason: str
) -> Item:
    diff = loading.differences(item.body, body)
    if item.state != state:
        diff.append({"element": "state", "old": item.state, "new": state})
    if item.version and not diff:
        raise Problem("guide-unchanged", "内容没有变化", status=409)
    item.body, item.state, item.version, item.changed_at, item.source = (
        body,
        state,
        item.version + 1,
        now,
        "guide",
    )
    for name, value in loading.columns_of(body).items():
        setattr(item, name, value)
    item.save()
    loading.save_facets([item], anew=True)
    version = loading.version_of(
        item, diff, now, source="guide", made_by=account.display_name, reason=reason[:300]
    )
    loading.prove([version], now)
    ItemDraft.objects.filter(item=item).delete()
    loading.touch()
    return item


def _check(body: Body) -> None:
    if not str(body.get("name") or "").strip():
        raise Problem("guide-incomplete", "请填写事项名称", status=422)
    if body["kind"] not in KINDS:
        raise Problem("guide-incomplete", "请选择事项类型", status=422)
    statutory, promised = body["statutory_days"], body["promised_days"]
    if statutory is not None and promised is not None and promised > statutory:
        raise Problem("guide-times", "承诺时限不能长于法定时限", status=422)
