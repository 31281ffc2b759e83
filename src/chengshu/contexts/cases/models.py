"""Cases, events, terms, tasks, evidence, personal payload, packs, jobs and notices: persistence only.

JSON is kept as text, exactly as it was digested: no database re-orders it.
"""

from __future__ import annotations

from django.db import models


class PackVersion(models.Model):
    """One version of a pack, whole, by content hash: a case keeps the version that it was opened under."""

    pack = models.CharField(max_length=60)
    version = models.CharField(max_length=30)
    hash = models.CharField(max_length=64, unique=True)
    files = models.TextField()
    loaded_at = models.DateTimeField()
    current = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pack"], condition=models.Q(current=True), name="one_current_pack"
            )
        ]


class Case(models.Model):
    """The projection of a case: what lists and the next step need. Everything in it can be rebuilt from its events."""

    id = models.CharField(primary_key=True, max_length=20)
    pack = models.CharField(max_length=60)
    pack_version = models.ForeignKey(PackVersion, on_delete=models.PROTECT, db_index=False)
    state = models.CharField(max_length=50)
    outcome = models.CharField(max_length=50, blank=True)
    version = models.PositiveIntegerField()
    label = models.CharField(max_length=200, blank=True)
    area = models.CharField(max_length=100, blank=True)
    # What its kind of fact says first (`kind`, `finding`): lists filter by it.
    kind = models.CharField(max_length=50, blank=True)
    subject_id = models.CharField(max_length=24, blank=True)
    cell_code = models.CharField(max_length=20, blank=True)
    department = models.CharField(max_length=40, blank=True)
    opened_by = models.CharField(max_length=20)
    # The account that the case was opened for (a reviewer, a named decider); empty in most packs.
    assignee = models.CharField(max_length=20, blank=True, default="", db_default="")
    # Whose matter it is, where the opener acts for another, and on what ground (JSON); empty in one's own matters.
    principal = models.CharField(max_length=24, blank=True, default="", db_default="")
    on_behalf = models.CharField(max_length=200, blank=True, default="", db_default="")
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="children", db_index=False
    )
    on_end = models.CharField(max_length=50, blank=True)
    open_key = models.CharField(max_length=120)
    # Facts, kept values, terms, who acted and children, as the engine folds them.
    body = models.TextField()
    due_at = models.DateTimeField(null=True)
    amber_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    # What a supervisor asks after ("withdrawn", "reversed"), when it last happened and by which of its steps.
    turned = models.CharField(max_length=10, blank=True, default="", db_default="")
    turned_at = models.DateTimeField(null=True)
    turned_seq = models.PositiveIntegerField(null=True)
    # Whether the words index (search.py) knows this case; the clock indexes soon after the opening.
    searchable = models.BooleanField(default=False, db_default=False)

    class Meta:
        # Each index is paid for in every opening: none stands twice, none covers rows that nobody asks for.
        constraints = [models.UniqueConstraint(fields=["open_key"], name="one_case_a_key")]
        indexes = [
            # These hold all that a supervisor's figures and lists filter, sort and count by: counting reads no row. (What
            # a condition names, SQLite looks for in the index as well.)
            models.Index(
                fields=["pack", "due_at", "id", "amber_at", "department", "closed_at"],
                condition=models.Q(closed_at__isnull=True),
                name="open_cases",
            ),
            models.Index(
                fields=["pack", "closed_at", "id", "department"],
                condition=models.Q(closed_at__isnull=False),
                name="ended_cases",
            ),
            models.Index(fields=["subject_id"], name="case_by_subject"),
            models.Index(
                fields=["parent"], condition=models.Q(parent__isnull=False), name="children_of_case"
            ),
            models.Index(fields=["id"], condition=models.Q(searchable=False), name="case_to_index"),
            models.Index(fields=["opened_by", "opened_at"], name="case_by_opener"),
            models.Index(
                fields=["principal", "opened_at"],
                condition=~models.Q(principal=""),
                name="case_by_principal",
            ),
            models.Index(fields=["cell_code", "closed_at"], name="case_by_cell"),
            models.Index(
                fields=["turned", "turned_at", "id", "pack", "department"],
                condition=~models.Q(turned=""),
                name="case_turned",
            ),
        ]


class CaseEvent(models.Model):
    """One step, exactly as digested for the ledger; ``body`` holds no personal value in clear."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    step = models.CharField(max_length=60)
    at = models.DateTimeField()
    actor = models.CharField(max_length=20)
    body = models.TextField()
    idempotency_key = models.CharField(max_length=120, null=True)
    request_digest = models.CharField(max_length=64, blank=True)
    # The ledger's leaf digests salt + body: kept here, so that anyone can prove this event by it.
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "seq"], name="one_event_a_step"),
            models.UniqueConstraint(
                fields=["case", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="one_event_for_a_key",
            ),
        ]


class PersonalPayload(models.Model):
    """Personal values of one event, apart: erasing them leaves a case that folds and a ledger that verifies."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, db_index=False)
    seq = models.PositiveIntegerField()
    salt = models.CharField(max_length=64)
    body = models.TextField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seq"], name="one_payload_an_event")]


class CaseTerm(models.Model):
    """A term of a case as the sweep and the lights read it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, db_index=False)
    term = models.CharField(max_length=50)
    round = models.PositiveIntegerField()
    state = models.CharField(max_length=12)
    due_on = models.DateField(null=True)
    due_at = models.DateTimeField(null=True)
    amber_at = models.DateTimeField(null=True)
    provisional = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "term"], name="one_row_a_term")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="running"), name="running_terms"),
        ]


class Task(models.Model):
    """Work for someone: ``owner`` is ``account:7``, ``department:market``, ``role:operator`` or ``nobody``."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="tasks", db_index=False)
    # What lists filter by, copied from the case: they never change, and a list need not join a million cases.
    pack = models.CharField(max_length=60, blank=True, default="", db_default="")
    kind = models.CharField(max_length=50, blank=True, default="", db_default="")
    role = models.CharField(max_length=50)
    owner = models.CharField(max_length=60)
    # The queue that a claimed or delegated task came from and goes back to; empty while nobody claimed it.
    queue = models.CharField(max_length=60, blank=True, default="", db_default="")
    open = models.BooleanField(default=True)
    due_at = models.DateTimeField(null=True)
    amber_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Both hold all that a list filters, sorts and counts by: counting reads no row.
            models.Index(
                fields=["owner", "due_at", "id", "pack", "kind", "amber_at"],
                condition=models.Q(open=True),
                name="tasks_of_owner",
            ),
            models.Index(
                fields=["pack", "due_at", "id", "kind", "amber_at"],
                condition=models.Q(open=True),
                name="tasks_of_pack",
            ),
            models.Index(fields=["case", "open"], name="tasks_of_case"),
        ]


class EvidenceFile(models.Model):
    """A file that came with a step. The bytes lie under ``var/files`` by their digest."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence")
    seq = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    # Which scanner looked at it; empty: none did.
    scanned = models.CharField(max_length=40, blank=True, default="", db_default="")
    at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)


class Job(models.Model):
    """The outbox: work outside the transaction, at least once, under a key that never changes."""

    class State(models.TextChoices):
        """Where a job stands."""

        READY = "ready", "等待"
        DONE = "done", "完成"
        DEAD = "dead", "失败"

    kind = models.CharField(max_length=20)
    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    payload = models.TextField()
    key = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.READY)
    attempts = models.PositiveIntegerField(default=0)
    run_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["run_at"], condition=models.Q(state="ready"), name="ready_jobs"),
            models.Index(fields=["state", "made_at"], name="jobs_by_state"),
        ]


class Notice(models.Model):
    """A message on someone's page about a case; ``owner`` as in ``Task``. It holds no personal value."""

    owner = models.CharField(max_length=60)
    case = models.ForeignKey(Case, on_delete=models.PROTECT)
    key = models.CharField(max_length=120, unique=True)
    text_zh = models.CharField(max_length=500)
    text_en = models.CharField(max_length=500)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["owner", "-at"], name="notices_of_owner")]


class CaseParty(models.Model):
    """An account that plays a part in a case (joint applicant, agent, objector), until a day when one is set."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=50)
    account = models.BigIntegerField()
    # What the account may do for whom, in words or by the digest of a letter of authority.
    authority = models.CharField(max_length=200, blank=True)
    until = models.DateField(null=True)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "role", "account"],
                condition=models.Q(removed_at=None),
                name="one_party_a_role",
            )
        ]
        indexes = [
            models.Index(fields=["account"], condition=models.Q(removed_at=None), name="parties_of_account"),
            models.Index(fields=["until"], condition=models.Q(removed_at=None), name="parties_by_end"),
        ]


class PaymentOrder(models.Model):
    """Money that a case asks for or pays out, in fen. Nothing here moves money: finance officers note what moved."""

    class Direction(models.TextChoices):
        """Which way the money goes."""

        IN = "in", "收费"
        OUT = "out", "支付"

    class State(models.TextChoices):
        """Where an order stands."""

        ORDERED = "ordered", "待办"
        PAID = "paid", "已办"
        FAILED = "failed", "退回"
        CANCELLED = "cancelled", "撤销"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="payments")
    key = models.CharField(max_length=120, unique=True)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    amount = models.BigIntegerField()
    payee = models.CharField(max_length=200, blank=True)
    account = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=200)
    on_paid = models.CharField(max_length=50, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ORDERED)
    ordered_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=20, blank=True)
    reference = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "ordered_at"], name="payments_by_state"),
            models.Index(fields=["case", "state"], name="payments_of_case"),
        ]


class CaseComment(models.Model):
    """A remark among staff who work on a case; never shown to applicants, erased with the personal values."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="comments")
    account = models.BigIntegerField()
    author = models.CharField(max_length=80)
    text = models.TextField()
    at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["case", "at"], name="comments_of_case")]


class Draft(models.Model):
    """An opening form as one types it: nobody's business until it is submitted, deleted then."""

    account = models.BigIntegerField()
    # Whose matter it is, where the author acts for another: what is typed for one is never shown when serving the next.
    subject_id = models.CharField(max_length=24, blank=True, default="", db_default="")
    pack = models.CharField(max_length=60)
    pack_version = models.ForeignKey(PackVersion, on_delete=models.PROTECT)
    body = models.TextField(default="{}")
    made_at = models.DateTimeField()
    saved_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-saved_at"], name="drafts_of_account"),
            models.Index(fields=["saved_at"], name="drafts_by_age"),
        ]


class DraftFile(models.Model):
    """A file that was added to a draft; it becomes evidence of the case when the draft is submitted."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    field = models.CharField(max_length=50)
    digest = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    scanned = models.CharField(max_length=40, blank=True, default="", db_default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "field", "digest"], name="one_draft_file")]


class UploadedFile(models.Model):
    """A file that a program sent ahead of the call that names it; kept a day."""

    account = models.BigIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    accept = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    scanned = models.CharField(max_length=40, blank=True, default="", db_default="")
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="one_upload")]


class CalendarYear(models.Model):
    """One year's official days off and adjusted workdays, as an operator loaded them; the newest one holds."""

    year = models.PositiveIntegerField()
    days_off = models.TextField()
    days_on = models.TextField()
    reference = models.CharField(max_length=300)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=20, blank=True)
    current = models.BooleanField(default=True)
    # Terms that end before this day are not touched by this notice.
    changed_from = models.DateField()
    # When every running term was last counted anew by it; empty until the first pass is through.
    recounted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["year"], condition=models.Q(current=True), name="one_current_calendar"
            )
        ]


class PackMigration(models.Model):
    """A run that moved live cases to another version of their pack: who, why, how many, and its ledger leaf."""

    pack = models.CharField(max_length=60)
    to_version = models.ForeignKey(PackVersion, on_delete=models.PROTECT)
    mapping = models.TextField(default="{}")
    actor = models.CharField(max_length=20)
    reason = models.CharField(max_length=300)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    moved = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    leaf_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["pack", "-started_at"], name="migrations_of_pack")]
