"""Who is in charge of a cell on a day, with substitutes; cells without anyone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from chengshu.contexts.identity.api import Account, duty, on_duty, stands_in_for
from chengshu.contexts.ledger import api as ledger
from chengshu.contexts.places.cells import current_cells
from chengshu.contexts.places.domain import Charge
from chengshu.contexts.places.models import Cell, CellCharge
from chengshu.kernel.problems import Problem


def _on(on: date) -> QuerySet[CellCharge]:
    # "-post" puts main before deputy.
    held = CellCharge.objects.filter(first_day__lte=on).filter(Q(last_day=None) | Q(last_day__gt=on))
    return held.select_related("account").order_by("cell_id", "-post", "id")


def people_in_charge_of(codes: Iterable[str], on: date) -> dict[str, list[int]]:
    """Return for each cell the accounts that do its work on a day, the main one first; possibly none.

    A cell that was split or merged away answers with the people of its successors: work that was routed by the
    old code still finds someone.
    """
    wanted = list(dict.fromkeys(codes))
    ended = _ended(wanted)
    successors = {code: current_cells(code) for code in ended}
    asked = list(dict.fromkeys([*wanted, *(after for each in successors.values() for after in each)]))
    found = _working(asked, on)
    for code, after in successors.items():
        found[code] = list(dict.fromkeys(person for each in after for person in found[each]))
    return {code: found[code] for code in wanted}


def _working(codes: list[str], on: date) -> dict[str, list[int]]:
    """Return for each of these cells the accounts that do the work of its own posts."""
    found: dict[str, list[int]] = {code: [] for code in codes}
    present = duty(on)
    for start in range(0, len(codes), 500):  # SQLite takes about a thousand parameters
        for charge in _on(on).filter(cell_id__in=codes[start : start + 500]):
            person = present.of(charge.account)
            if person is not None and person.pk not in found[charge.cell_id]:
                found[charge.cell_id].append(person.pk)
    return found


def _ended(codes: list[str]) -> list[str]:
    """Return those of the cells that are no longer in force."""
    ended: list[str] = []
    for start in range(0, len(codes), 500):
        some = Cell.objects.filter(pk__in=codes[start : start + 500], valid_to__isnull=False)
        ended.extend(some.values_list("code", flat=True))
    return ended


def people_in_charge(cell_code: str, on: date) -> list[int]:
    """Return the accounts that do a cell's work on a day, the main one (or the substitute) first."""
    return people_in_charge_of([cell_code], on)[cell_code]


def charges_of_cell(cell_code: str, on: date) -> list[Charge]:
    """Return the posts of a cell on a day, with who stands in."""
    present = duty(on)
    charges = []
    for row in _on(on).filter(cell_id=cell_code):
        person = present.of(row.account)
        charges.append(
            Charge(
                cell_code, row.account_id, row.account.display_name, row.post, row.first_day, row.last_day,
                person.pk if person else None, person.display_name if person else "",
            )
        )  # fmt: skip
    return charges


def cells_of(account: Account, on: date) -> list[str]:
    """Return the cells whose work is this account's on a day: its own, and those of colleagues it stands in for."""
    people = [other.pk for other in stands_in_for(account, on)]
    if on_duty(account, on) == account:
        people.append(account.pk)
    rows = _on(on).filter(account_id__in=people, cell__valid_to=None)
    return sorted(set(rows.values_list("cell_id", flat=True)))


def cells_of_each(accounts: Iterable[Account], on: date) -> dict[int, list[str]]:
    """Return for each of many accounts what ``cells_of`` does, asked together."""
    held: dict[int, list[str]] = {}
    rows = _on(on).filter(cell__valid_to=None)
    for account_id, code in rows.values_list("account_id", "cell_id"):
        held.setdefault(account_id, []).append(code)
    present, found = duty(on), {}
    for account in accounts:
        people = [other.pk for other in present.stood_in_for_by(account)]
        if present.of(account) == account:
            people.append(account.pk)
        found[account.pk] = sorted({code for each in people for code in held.get(each, ())})
    return found


def cells_by_account(account_ids: Iterable[int], on: date) -> dict[int, list[str]]:
    """Return the cells whose own posts these accounts hold on a day, without anyone they stand in for."""
    held: dict[int, list[str]] = {}
    rows = _on(on).filter(account_id__in=list(account_ids), cell__valid_to=None).order_by("cell_id")
    for account_id, code in rows.values_list("account_id", "cell_id").distinct():
        held.setdefault(account_id, []).append(code)
    return held


def cells_without_staff(on: date) -> list[str]:
    """Return the cells in force for whom nobody works on a day: no post, or everyone away without a substitute."""
    codes = Cell.objects.filter(valid_to=None).order_by("code").values_list("code", flat=True)
    present = duty(on)
    # Every post of the day at once: hardly more rows than those of the cells in force, and one statement.
    worked = {charge.cell_id for charge in _on(on) if present.of(charge.account) is not None}
    return [code for code in codes if code not in worked]


def post(
    account: Account, cell_code: str, kind: str, *, on: date, actor: Account | None, now: datetime
) -> None:
    """Put someone in charge of a cell from a day; a new main person ends the former one's post."""
    if kind not in CellCharge.Post.values:
        raise Problem("post-kind", _("岗位只能是责任或协管"), detail=kind)
    if account.role != Account.Role.GRID_WORKER or not account.is_active:
        raise Problem("post-role", _("只有在岗的网格员可以负责网格"), detail=account.display_name)
    with transaction.atomic():
        if not Cell.objects.filter(pk=cell_code, valid_to=None).exists():
            raise Problem("cell-not-in-force", _("网格不存在或已失效"), detail=cell_code, status=404)
        held = CellCharge.objects.filter(cell_id=cell_code, last_day=None)
        ended = held.filter(account=account)
        if kind == CellCharge.Post.MAIN:
            ended = held.filter(Q(account=account) | Q(post=CellCharge.Post.MAIN))
        ended.update(last_day=on)
        CellCharge.objects.create(cell_id=cell_code, account=account, post=kind, first_day=on)
        _deposit(cell_code, account, kind, on, actor, now)


def end_post(account: Account, cell_code: str, *, on: date, actor: Account | None, now: datetime) -> None:
    """End someone's posts in a cell on a day."""
    with transaction.atomic():
        ended = CellCharge.objects.filter(cell_id=cell_code, account=account, last_day=None).update(
            last_day=on
        )
        if not ended:
            raise Problem("no-post", _("此人不负责该网格"), detail=f"{account.display_name} {cell_code}")
        _deposit(cell_code, account, "ended", on, actor, now)


def end_posts(account: Account, *, on: date, actor: Account | None, now: datetime) -> None:
    """End all posts of someone who leaves without an heir: deputies take over, or the cell stands on the operator's list."""
    for cell_code in set(
        CellCharge.objects.filter(account=account, last_day=None).values_list("cell_id", flat=True)
    ):
        end_post(account, cell_code, on=on, actor=actor, now=now)


def hand_over_posts(leaver: Account, heir: Account, *, on: date, actor: Account | None, now: datetime) -> int:
    """Pass all posts of someone who leaves to a colleague; returns how many."""
    rows = list(CellCharge.objects.filter(account=leaver, last_day=None).values_list("cell_id", "post"))
    with transaction.atomic():
        for cell_code, kind in rows:
            end_post(leaver, cell_code, on=on, actor=actor, now=now)
            post(heir, cell_code, kind, on=on, actor=actor, now=now)
    return len(rows)


def _deposit(
    cell_code: str, account: Account, kind: str, on: date, actor: Account | None, now: datetime
) -> None:
    ledger.deposit(
        "cell-charge", f"cell:{cell_code}",
        {
            "cell": cell_code, "account": str(account.pk), "post": kind, "on": on.isoformat(),
            "actor": str(actor.pk) if actor else "",
        },
        now=now,
    )  # fmt: skip
