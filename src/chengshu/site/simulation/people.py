"""The seeded people of a simulated year: who has which work, who opens what, who leaves and who comes."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.subjects import api as subjects
from chengshu.procedure.model import Pack, Role

RESIDENTS = 12
SUBJECTS = 4_000


@dataclass(slots=True)
class People:
    """Everyone who acts, by chance but the same for the same seed."""

    rng: random.Random
    residents: list[identity.Account] = field(default_factory=list)
    hired: int = 0

    def settle(self) -> None:
        """Make residents to apply, object and complain; they are generated, and named so.

        Every other one is somebody whom the district's records know: their forms are filled from these.
        """
        # Enough for people to be among them: the first records are of hospitals and firms.
        known = [each for each in subjects.some_subjects(SUBJECTS, self.rng) if each.startswith("P")]
        self.rng.shuffle(known)
        for number in range(RESIDENTS):
            name = f"simulated-{number}"
            self.residents.append(
                identity.account_named(name)
                or identity.save_account(
                    name, display_name=f"模拟居民{number}", role="resident",
                    subject_id=known.pop() if number % 2 and known else "",
                )
            )  # fmt: skip

    def staff(self) -> list[identity.Account]:
        """Return the staff in a fixed order."""
        return [account for account in identity.accounts() if account.role != "resident"]

    def workers_of_the_day(self) -> list[identity.Account]:
        """Return everyone who may have work today, in the order of chance."""
        everyone = [*self.staff(), *self.residents]
        self.rng.shuffle(everyone)
        return everyone

    def opener(self, pack: Pack, role_name: str) -> identity.Account | None:
        """Return someone who opens a case in a role; ``None`` is the machine."""
        role = pack.roles.get(role_name)
        if role is None or role.holder == "system":
            return None
        if role.holder in ("opener", "public", "party", "assignee"):
            return self.rng.choice(self.residents)
        fitting = [account for account in self.staff() if _may_hold(role, account)]
        return self.rng.choice(fitting) if fitting else None

    def turn_over(self, now: dt.datetime, operator: identity.Account) -> tuple[str, int] | None:
        """Let one officer or grid worker leave: a newcomer takes the post, the open work is handed over."""
        leaving = [account for account in self.staff() if account.role in ("officer", "grid_worker")]
        if not leaving:
            return None
        leaver = self.rng.choice(leaving)
        self.hired += 1
        heir = identity.save_account(
            f"hired-{self.hired}", display_name=f"新人{self.hired}（模拟）", role=leaver.role,
            department=leaver.department_id,
        )  # fmt: skip
        identity.depart(leaver, now.date())
        leaver.is_active = False
        leaver.save(update_fields=["is_active"])
        done = cases.hand_over(leaver, heir, actor=operator, reason="人员调整（模拟）", now=now)
        return leaver.username, done.moved


def _may_hold(role: Role, account: identity.Account) -> bool:
    if role.holder == "role":
        return account.role == role.account_role
    if role.holder == "cell":
        return account.role == "grid_worker"
    fixed = getattr(role, "department", "")
    return account.role == "officer" and (not fixed or account.department_id == fixed)
