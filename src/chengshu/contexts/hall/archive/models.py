"""Archives: the package of each closed case and version, who used it, and how it ended. Persistence only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ArchivePackage(models.Model):
    """One package: the file lies by its digest under ``var/archive``. A case that was opened again gets a further version."""

    class State(models.TextChoices):
        """Where a package stands."""

        FAILED = "failed", _("未做成")
        KEPT = "kept", _("在库")
        PROPOSED = "proposed", _("拟销毁")
        DISPOSED = "disposed", _("已销毁")

    number = models.CharField(max_length=40, unique=True)
    case_id = models.CharField(max_length=20, db_index=True)
    version = models.PositiveSmallIntegerField()
    pack = models.CharField(max_length=60)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    department = models.CharField(max_length=40, blank=True, db_index=True)
    # Whom it is about, for the record of looks; never their name.
    subject_id = models.CharField(max_length=20, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(db_index=True)
    outcome_zh = models.CharField(max_length=100, blank=True)
    outcome_en = models.CharField(max_length=100, blank=True)
    # Years from the end of the year in which the case was closed; none: permanent.
    years = models.PositiveSmallIntegerField(null=True)
    ground = models.CharField(max_length=300)
    due_on = models.DateField(null=True, db_index=True)
    files = models.PositiveSmallIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.KEPT)
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Filed by command before the job came so far: its place in the row of ends is not the job's.
    ahead = models.BooleanField(default=False)
    made_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)
    # The person's values were erased elsewhere: the package is kept for its term and used no more.
    closed_to_use_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case_id", "version"], name="one_package_a_version"),
            models.UniqueConstraint(fields=["case_id", "closed_at"], name="one_package_an_end"),
        ]


class ArchiveAct(models.Model):
    """What was done with a package: used, handed over, proposed for disposal, kept after all, disposed of."""

    package = models.ForeignKey(ArchivePackage, on_delete=models.PROTECT, related_name="acts")
    kind = models.CharField(max_length=12)
    account_id = models.BigIntegerField(null=True)
    by = models.CharField(max_length=80)
    purpose = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    leaf_id = models.BigIntegerField()
