"""The year itself: day by day people open and work cases, clocks tick or fail, staff leave, calendars and packs change."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chengshu.contexts.cases import api as cases
from chengshu.contexts.identity import api as identity
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.procedure.model import Pack
from chengshu.site.simulation.applying import from_records
from chengshu.site.simulation.night import Look, Night
from chengshu.site.simulation.people import People
from chengshu.site.simulation.plan import BEIJING, Say, YearPlan
from chengshu.site.simulation.samples import Samples, answer, paper, read_samples, varied


@dataclass(slots=True)
class Known:
    """A pack as the actors know it."""

    pack: Pack
    samples: Samples


@dataclass(slots=True)
class Tally:
    """What happened, counted."""

    opened: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    # Where it was refused, and at which field or rule: what one mends a pack or the program by.
    refused_at: Counter[str] = field(default_factory=Counter)
    ended_terms: int = 0
    jobs: int = 0
    outage_days: int = 0
    handed_over: int = 0
    recounted: int = 0
    migrated: int = 0


class Year:
    """One simulated stretch of time over a founded demo district."""

    def __init__(self, plan: YearPlan, night: Night, say: Say) -> None:
        self.plan, self.night, self.say = plan, night, say
        self.rng = random.Random(plan.seed)
        self.people = People(self.rng)
        self.known: dict[str, Known] = {}
        self.tally, self.looks, self.number = Tally(), set[Look](), 0
        # The newest cases: what the public looks at.
        self.open_ids: list[str] = []
        # What else happens on a day: a calendar is loaded, a pack migrates, departments deliver.
        self.events: dict[int, list[tuple[str, Callable[[dt.datetime], Any]]]] = {}

    def on_day(self, day: int, what: str, act: Callable[[dt.datetime], Any]) -> None:
        """Let something happen at nine o'clock of a day, counted from nought."""
        self.events.setdefault(day, []).append((what, act))

    def learn_packs(self) -> None:
        """Look again at which packs serve new cases."""
        self.known = {
            name: Known(cases.current_pack(name), read_samples(cases.current_files(name)))
            for name in cases.loaded_packs()
        }

    def run(self) -> Tally:
        """Live through all days."""
        self.people.settle()
        self.learn_packs()
        for day in range(self.plan.days):
            self._day(day)
            if day % 30 == 29 or day == self.plan.days - 1:
                done, faults = sum(self.tally.done.values()), len(self.night.faults)
                self.say(
                    f"day {day + 1}: {sum(self.tally.opened.values())} opened, {done} steps, {faults} faults"
                )
        self.night.final()
        return self.tally

    def _day(self, day: int) -> None:
        date = self.plan.start + dt.timedelta(days=day)
        for what, act in self.events.get(day, ()):
            self.say(f"day {day + 1} ({date}): {what}")
            act(self._at(date, 9))
            self.learn_packs()
        if day and day % self.plan.turnover_every == 0:
            self._turn_over(self._at(date, 9, 5))
        self._open_some(date)
        if self.night.notices.is_worked(date):
            self._work(date)
        since = day - self.plan.outage_first
        clocks = since < 0 or since % self.plan.outage_every >= self.plan.outage_days
        if clocks:
            self._clocks(self._at(date, 23, 50))
        else:
            self.tally.outage_days += 1
        for fault in self.night.check(self._at(date, 23, 59), self.looks, clocks=clocks)[:3]:
            self.say(f"day {day + 1} ({date}): FAULT {fault}")
        self.looks.clear()

    def _at(self, date: dt.date, hour: int, minute: int = 0) -> dt.datetime:
        return dt.datetime.combine(date, dt.time(hour, minute), BEIJING).astimezone(dt.UTC)

    def _clocks(self, now: dt.datetime) -> None:
        # A day's work is bounded; so is the loop, or a pack whose terms start anew at once would turn it for ever.
        for _ in range(50):
            ended, ran = cases.sweep(now), cases.run_jobs(now)
            self.tally.ended_terms += ended
            self.tally.jobs += ran
            if not ended and not ran:
                break
        ledger.sequence(now, takeover=True)

    def _turn_over(self, now: dt.datetime) -> None:
        operator = next(account for account in self.people.staff() if account.role == "operator")
        if done := self.people.turn_over(now, operator):
            self.tally.handed_over += done[1]

    def _open_some(self, date: dt.date) -> None:
        for _ in range(self.rng.randrange(self.plan.openings * 2 + 1)):
            self.number += 1
            name = self.rng.choice(
                sorted(name for name, known in self.known.items() if known.samples.openings)
            )
            self._open(name, self._at(date, 9, 10 + self.rng.randrange(50)))

    def _open(self, name: str, now: dt.datetime) -> None:
        known = self.known[name]
        sample = self.rng.choice(known.samples.openings)
        opener = self.people.opener(known.pack, sample.role)
        for facts in (varied(sample.facts, self.number, self.rng), dict(sample.facts)):
            try:
                key = f"simulated:{self.number}"
                opened = from_records(known.pack, facts, opener, key, now, self.rng) or cases.open_case(
                    name, facts, opened_by=opener, department=opener.department_id if opener else None,
                    idempotency_key=key, now=now,
                )  # fmt: skip
            except Problem as problem:
                self._refused(problem, name)
            else:
                self.tally.opened[name] += 1
                self.open_ids = [*self.open_ids[-200:], opened]
                return

    def _work(self, date: dt.date) -> None:
        minutes = sorted(self.rng.randrange(600, 1020) for _ in self.people.workers_of_the_day())
        # The day goes forward: who comes later sees what those before did.
        for minute, account in zip(minutes, self.people.workers_of_the_day(), strict=True):
            now = self._at(date, minute // 60, minute % 60)
            lines = list(cases.tasks_for(account, now=now).rows)
            self.rng.shuffle(lines)
            for line in lines[: self.rng.randrange(self.plan.diligence + 1)]:
                if line.owner.startswith("department:") and self.rng.random() < 0.2:
                    self._try("claim", cases.claiming.claim, line.case_id, account, now)
                self._act(line.case_id, account, now)
        for case_id in self.rng.sample(self.open_ids, min(3, len(self.open_ids))):
            self._look_in_public(case_id, self.rng.choice(self.people.residents), self._at(date, 18))

    def _look_in_public(self, case_id: str, citizen: identity.Account, now: dt.datetime) -> None:
        """Let a member of the public do the first thing that the pack allows them on a case."""
        known = self.known.get(cases.case_brief(case_id).pack)
        steps = [
            step
            for step in cases.public_commands(case_id, citizen, now)
            if known is not None and known.samples.answers.get(step.command)
        ]
        if not steps or known is None:
            return
        step = steps[0]
        fields = step.form.fields if step.form else {}
        said = dict(self.rng.choice(known.samples.answers[step.command]))
        papers = [name for name, item in fields.items() if item.type.kind == "files" and name in said]
        self._try(
            f"{known.pack.id}/{step.command}", cases.public_command, case_id, step.command,
            {name: value for name, value in said.items() if name in fields and name not in papers},
            actor=citizen, now=now, idempotency_key=f"simulated:{self.number}:{case_id}",
            files_in=[paper(name, self.rng) for name in papers],
        )  # fmt: skip

    def _try(self, what: str, act: Callable[..., object], *given: Any, **named: Any) -> None:
        try:
            act(*given, **named)
        except Problem as problem:
            self._refused(problem, what)
        else:
            self.tally.done[what] += 1

    def _act(self, case_id: str, account: identity.Account, now: dt.datetime) -> None:
        try:
            view = cases.case_view(case_id, account, now=now)
        except Problem as problem:
            return self._refused(problem, "look")
        if cases.shows_personal(view):
            self.looks.add(Look(view.subject_id, account.pk, case_id))
        known = self.known.get(view.pack)
        offered = [item for item in view.commands if known is not None]
        if not offered or known is None:
            return None
        command = self.rng.choice(offered)
        data, files = answer(known.samples, command, now.astimezone(BEIJING).date(), self.rng)
        try:
            cases.command(
                case_id, command.name, data, actor=account, expected_version=view.version,
                idempotency_key=f"simulated:{view.version}:{command.name}", now=now, files=files,
            )  # fmt: skip
        except Problem as problem:
            return self._refused(problem, f"{view.pack}/{command.name}")
        self.tally.done[f"{view.pack}/{command.name}"] += 1
        return None

    def _refused(self, problem: Problem, what: str) -> None:
        if (problem.status or 500) >= 500:
            raise problem
        self.tally.refused[problem.code] += 1
        place = problem.where.field if problem.where and problem.where.field else problem.detail
        self.tally.refused_at[f"{what}: {problem.code} {place}".strip()] += 1


def report(year: Year) -> dict[str, Any]:
    """Return what a simulated year did, as JSON-ready values."""
    tally, night = year.tally, year.night
    return {
        "days": year.plan.days,
        "seed": year.plan.seed,
        "opened": dict(sorted(tally.opened.items())),
        "steps": night.steps,
        "commands": dict(sorted(tally.done.items())),
        "refused": dict(sorted(tally.refused.items())),
        "refused_at": dict(sorted(tally.refused_at.items())),
        "terms_ended": tally.ended_terms,
        "jobs": tally.jobs,
        "outage_days": tally.outage_days,
        "handed_over": tally.handed_over,
        "terms_recounted_for_a_calendar": tally.recounted,
        "migrated": tally.migrated,
        "terms_checked": night.terms,
        "reads_checked": night.looks,
        "values_checked": night.values,
        "answers_checked": night.answers,
        "outage_nights_checked": night.outages,
        "faults": night.faults,
    }
