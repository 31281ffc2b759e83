"""Runs, golden records by snapshot, corrections, returns, link decisions, findings: persistence only."""

from __future__ import annotations

from django.db import models


class Run(models.Model):
    """One build. ``number`` is also the number of the snapshot that it publishes."""

    class State(models.TextChoices):
        """Where a run stands."""

        RUNNING = "running", "运行中"
        PUBLISHING = "publishing", "发布中"
        PUBLISHED = "published", "已发布"
        UNCHANGED = "unchanged", "无变化"
        STOPPED = "stopped", "已停止"

    number = models.AutoField(primary_key=True)
    run_id = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=12, choices=State.choices)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    base = models.ForeignKey("self", null=True, on_delete=models.PROTECT)
    full = models.BooleanField(default=False)
    # The last correction this run took in: later ones stay laid over its snapshot.
    watermark = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    facts = models.JSONField(default=dict)
    problem = models.JSONField(null=True)


class RunSource(models.Model):
    """What one run took in from one source."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="sources")
    source = models.CharField(max_length=80)
    department = models.CharField(max_length=40)
    kind = models.CharField(max_length=12)
    title = models.JSONField(default=dict)
    late = models.BooleanField(default=False)
    rows = models.BigIntegerField(default=0)
    accepted = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    warned = models.BigIntegerField(default=0)
    absent = models.BigIntegerField(default=0)
    deleted = models.BigIntegerField(default=0)
    placed = models.BigIntegerField(default=0)
    addressed = models.BigIntegerField(default=0)
    facts = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "source"], name="run_source_once")]


class RefusedRow(models.Model):
    """A refused row without its values: those stay in the run's file, for the department alone."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="refused_rows")
    source = models.CharField(max_length=80)
    file = models.CharField(max_length=200)
    row = models.BigIntegerField()
    field = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["run", "source", "row"])]


class CurrentSnapshot(models.Model):
    """The one row that readers follow."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    run = models.ForeignKey(Run, on_delete=models.PROTECT)
    published_at = models.DateTimeField()


class GoldenRecord(models.Model):
    """A subject's golden record from one snapshot until another replaced it."""

    subject_id = models.CharField(max_length=24)
    kind = models.CharField(max_length=12)
    valid_from = models.IntegerField()
    valid_to = models.IntegerField(null=True)
    name = models.CharField(max_length=200, default="")
    id_number = models.CharField(max_length=40, default="")
    phone = models.CharField(max_length=40, default="")
    place_code = models.CharField(max_length=24, default="")
    cell_code = models.CharField(max_length=24, default="")
    community_code = models.CharField(max_length=12, default="")
    data = models.JSONField()

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "valid_from"], name="golden_subject"),
            models.Index(fields=["name"], name="golden_name", condition=~models.Q(name="")),
            models.Index(fields=["id_number"], name="golden_id", condition=~models.Q(id_number="")),
            models.Index(fields=["phone"], name="golden_phone", condition=~models.Q(phone="")),
            models.Index(fields=["place_code"], name="golden_place", condition=~models.Q(place_code="")),
            models.Index(fields=["cell_code", "kind"], name="golden_cell", condition=~models.Q(cell_code="")),
        ]


class CellCount(models.Model):
    """How many subjects of each kind a cell holds in one snapshot: what the map reads."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE)
    cell_code = models.CharField(max_length=24)
    kind = models.CharField(max_length=12)
    count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "cell_code", "kind"], name="cell_count_once")]


class Redirect(models.Model):
    """Where an id leads after a merge or split; ``gone`` has no new id."""

    old = models.CharField(max_length=24, db_index=True)
    new = models.CharField(max_length=24, blank=True, db_index=True)
    how = models.CharField(max_length=8)
    run = models.ForeignKey(Run, on_delete=models.PROTECT)


class Correction(models.Model):
    """A value that a person set or confirmed, on the ground or in a dispute. Ids rise in the order of making."""

    class State(models.TextChoices):
        """Whether the correction holds."""

        HOLDS = "holds", "有效"
        WITHDRAWN = "withdrawn", "已撤销"
        # Puts the source's value back over a snapshot that had taken in a correction withdrawn since.
        RESTORES = "restores", "恢复原值"
        SUPERSEDED = "superseded", "已被替代"

    subject_id = models.CharField(max_length=24, db_index=True)
    element = models.CharField(max_length=80)
    value = models.TextField(null=True)
    previous = models.TextField(null=True)
    confirms = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.HOLDS)
    # The run whose snapshot holds it; while null it is laid over the snapshot at each read.
    consumed_in = models.ForeignKey(Run, null=True, on_delete=models.PROTECT)
    case_id = models.CharField(max_length=40, blank=True, db_index=True)
    ground = models.CharField(max_length=300, blank=True)
    made_by = models.CharField(max_length=80)
    made_by_account = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=120, unique=True)

    class Meta:
        indexes = [models.Index(fields=["state", "consumed_in"])]


class Return(models.Model):
    """A correction that comes back to the department whose record said otherwise."""

    class State(models.TextChoices):
        """What the department and the decider did with it."""

        OPEN = "open", "待处理"
        ACCEPTED = "accepted", "已采纳"
        DISPUTED = "disputed", "有异议"
        UPHELD = "upheld", "维持更正"
        OVERRULED = "overruled", "撤销更正"
        FULFILLED = "fulfilled", "已报送新值"

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="returns")
    department = models.CharField(max_length=40, db_index=True)
    source = models.CharField(max_length=80)
    record_id = models.CharField(max_length=200, db_index=True)
    record_value = models.TextField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    due_on = models.DateField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=80, blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["department", "state", "due_on"])]
        constraints = [models.UniqueConstraint(fields=["correction", "record_id"], name="return_once")]


class Dispute(models.Model):
    """Someone holds a value to be wrong and it is not decided yet: readers see that it is disputed."""

    class Stage(models.TextChoices):
        """Who decides: the source first, and who it rejects can go on to the named decider."""

        SOURCE = "source", "数源部门"
        DECIDER = "decider", "裁定部门"

    subject_id = models.CharField(max_length=24, db_index=True)
    element = models.CharField(max_length=80)
    claimed = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    raised_by = models.CharField(max_length=80)
    # Which account raised it, and in whose room: a place has none, so its dispute is found by these.
    raised_by_account = models.BigIntegerField(null=True, db_index=True)
    raised_for = models.CharField(max_length=24, blank=True, default="", db_default="", db_index=True)
    raised_at = models.DateTimeField()
    case_id = models.CharField(max_length=40, blank=True, db_index=True)
    answered = models.ForeignKey(Return, null=True, on_delete=models.PROTECT, related_name="disputes")
    stage = models.CharField(max_length=8, choices=Stage.choices)
    decider = models.CharField(max_length=40, db_index=True)
    decide_by = models.DateField()
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=300, blank=True)
    idempotency_key = models.CharField(max_length=120, unique=True)


class LinkDecision(models.Model):
    """A person's word that two records are one subject, or are not. The last word on a pair holds."""

    left_id = models.CharField(max_length=200)
    right_id = models.CharField(max_length=200)
    decision = models.CharField(max_length=10)
    kind = models.CharField(max_length=12)
    subject_id = models.CharField(max_length=24, db_index=True)
    reason = models.CharField(max_length=500)
    made_by = models.CharField(max_length=80)
    made_by_account = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["left_id", "right_id"])]


class Finding(models.Model):
    """What a run found not to fit. ``key`` says what it is about, ``digest`` which values were at odds."""

    class State(models.TextChoices):
        """Where the finding stands."""

        OPEN = "open", "待核查"
        ANSWERED = "answered", "已核查"
        VANISHED = "vanished", "已消失"

    key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    subject_id = models.CharField(max_length=24, blank=True, db_index=True)
    place_code = models.CharField(max_length=24, blank=True)
    cell_code = models.CharField(max_length=24, blank=True)
    community_code = models.CharField(max_length=12, blank=True)
    department = models.CharField(max_length=40)
    elements = models.JSONField(default=list)
    values = models.JSONField(default=list)
    reason_zh = models.CharField(max_length=200)
    reason_en = models.CharField(max_length=200)
    digest = models.CharField(max_length=40)
    occurrence = models.IntegerField(default=1)
    first_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    last_run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    case_id = models.CharField(max_length=40, blank=True, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["state", "kind"]), models.Index(fields=["cell_code", "state"])]


class Consent(models.Model):
    """A person's word that a service may use some of their data: for one application, or until a day."""

    class Scope(models.TextChoices):
        """How far the word goes."""

        CASE = "case", "本次办理"
        PERIOD = "period", "期限内"

    subject_id = models.CharField(max_length=24, db_index=True)
    pack = models.CharField(max_length=60)
    elements = models.JSONField(default=list)
    # The tables from which they may be taken; a certificate is "certificate:<type>".
    sources = models.JSONField(default=list)
    purpose_zh = models.CharField(max_length=200)
    purpose_en = models.CharField(max_length=200)
    scope = models.CharField(max_length=6, choices=Scope.choices)
    # The last day on which it may be used; for one application that of the draft, and with a case the case's end.
    until = models.DateField()
    case_id = models.CharField(max_length=40, blank=True, db_index=True)
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=80)
    given_by_account = models.BigIntegerField()
    # "self", "mandate" or "window", with the number of the mandate.
    given_how = models.CharField(max_length=10)
    mandate_id = models.BigIntegerField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=80, blank=True)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_id", "pack"], name="consent_of")]


class SourceHalt(models.Model):
    """A source that forms may not be filled from: it is down, or its department withdrew it. Open while not ended."""

    class Kind(models.TextChoices):
        """Why nothing is taken from it."""

        DOWN = "down", "暂不可用"
        WITHDRAWN = "withdrawn", "已停止共享"

    source = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=300)
    since = models.DateTimeField()
    by = models.CharField(max_length=80)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, blank=True)
    ended_reason = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=models.Q(ended_at=None), name="one_open_halt_a_source"
            )
        ]
