"""Who does whose work on a day; of many people at once, every absence of the day is read once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from chengshu.contexts.identity.models import Absence, Account
from chengshu.kernel.one_look import seen


def absence_on(account_id: int, on: date) -> Absence | None:
    """Return the absence that covers the day; the one recorded last when several do."""
    found = Absence.objects.filter(account_id=account_id, first_day__lte=on, last_day__gte=on)
    return found.select_related("substitute").order_by("-pk").first()


def on_duty(
    account: Account, on: date, absence_of: Callable[[int], Absence | None] | None = None
) -> Account | None:
    """Return who does this account's work on a day: itself, a substitute (or theirs), or nobody."""
    passed: set[int] = set()
    current: Account | None = account
    while current is not None and current.pk not in passed:
        passed.add(current.pk)
        if not current.is_active or (current.left_on and current.left_on <= on):
            return None
        if current.role == Account.Role.RESIDENT:
            # Nobody stands in for a resident in their own matter without a mandate.
            return current
        absence = absence_on(current.pk, on) if absence_of is None else absence_of(current.pk)
        if absence is None:
            return current
        current = absence.substitute
    return None


class Duty:
    """The absences of a day, read together, and who stands in for whom."""

    def __init__(self, on: date) -> None:
        self.on = on
        found = Absence.objects.filter(first_day__lte=on, last_day__gte=on)
        # The one recorded last counts when several cover the day.
        self.absences = {
            row.account_id: row for row in found.select_related("account", "substitute").order_by("pk")
        }

    def of(self, account: Account) -> Account | None:
        """Return who does this account's work on the day: itself, a substitute (or theirs), or nobody."""
        return on_duty(account, self.on, self.absences.get)

    def stood_in_for_by(self, account: Account) -> list[Account]:
        """Return the colleagues whose work falls to this account on the day, through chains of substitutes too."""
        absent = [row.account for row in self.absences.values() if row.account.is_active]
        return [other for other in absent if other.pk != account.pk and self.of(other) == account]


def duty(on: date) -> Duty:
    """Return who does whose work on a day; one look asks once."""
    return seen(("duty", on), lambda: Duty(on))


def stands_in_for(account: Account, on: date) -> list[Account]:
    """Return the colleagues whose work falls to this account on a day, through chains of substitutes too."""
    return duty(on).stood_in_for_by(account)
