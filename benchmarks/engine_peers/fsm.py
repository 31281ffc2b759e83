"""django-fsm-2: a model with a protected state; each step locks the row, takes the transition and saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine_peers.django_base import start


def prepare(folder: Path, *, history: bool = False) -> Callable[[int], None]:  # noqa: C901 - models and all
    """Return the work: so many cases of five steps. ``history`` adds a row for each step."""
    start(folder, "fsm_history" if history else "fsm", ["django_fsm"])
    from django.db import connection, models, transaction
    from django.utils import timezone
    from django_fsm import FSMField, transition

    class Paper(models.Model):
        state = FSMField(default="received", protected=True)
        department = models.CharField(max_length=40)
        label = models.CharField(max_length=200)
        amount = models.IntegerField()
        note = models.TextField(blank=True)
        approved = models.BooleanField(default=False)
        opened_at = models.DateTimeField()

        class Meta:
            app_label = "peer"

        def may_be_approved(self) -> bool:
            return self.amount >= 1 and self.approved

        @transition(field=state, source="received", target="accepted")
        def accept(self) -> None:
            pass

        @transition(field=state, source="accepted", target="examined")
        def examine(self, note: str) -> None:
            self.note = note

        @transition(field=state, source="examined", target="approved", conditions=[may_be_approved])
        def approve(self) -> None:
            pass

        @transition(field=state, source="approved", target="issued")
        def issue(self) -> None:
            pass

    class Step(models.Model):
        paper = models.ForeignKey(Paper, on_delete=models.PROTECT)
        name = models.CharField(max_length=40)
        by = models.CharField(max_length=40)
        at = models.DateTimeField()

        class Meta:
            app_label = "peer"

    with connection.schema_editor() as editor:
        editor.create_model(Paper)
        editor.create_model(Step)

    def step(key: int, take: Callable[[Paper], None], name: str) -> None:
        with transaction.atomic():
            paper = Paper.objects.select_for_update().get(pk=key)
            take(paper)
            paper.save()
            if history:
                Step.objects.create(paper=paper, name=name, by="7", at=timezone.now())

    def approve(paper: Paper) -> None:
        paper.approved = True
        paper.approve()

    def work(cases: int) -> None:
        for number in range(cases):
            with transaction.atomic():
                paper = Paper.objects.create(
                    department="market", label=f"示例商贸有限公司{number}", amount=3, opened_at=timezone.now()
                )
                if history:
                    Step.objects.create(paper=paper, name="open", by="7", at=timezone.now())
            step(paper.pk, Paper.accept, "accept")
            step(paper.pk, lambda one: one.examine("材料齐全"), "examine")
            step(paper.pk, approve, "approve")
            step(paper.pk, Paper.issue, "issue")

    return work
