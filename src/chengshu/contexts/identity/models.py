"""Accounts, second factors, sign-ins, mandates, departments and reads of personal data: persistence only."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Department(models.Model):
    """A government department that supplies tables and works cases."""

    code = models.SlugField(primary_key=True, max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name_zh


class AccountManager(BaseUserManager["Account"]):
    """Creates accounts."""

    def create_account(self, username: str, password: str | None = None, **fields: object) -> Account:
        """Save a new account; without a password nobody can sign in to it."""
        account = self.model(username=username, **fields)
        account.set_password(password)
        account.save()
        return account


class Account(AbstractBaseUser):
    """Someone who can sign in: a resident or a member of staff. ``role`` decides what pages they have."""

    class Role(models.TextChoices):
        """The roles of the first cut (design.md, Words)."""

        RESIDENT = "resident", _("居民")
        GRID_WORKER = "grid_worker", _("网格员")
        STEWARD = "steward", _("数据专员")
        OFFICER = "officer", _("部门经办")
        OPERATOR = "operator", _("区级运行员")
        CLERK = "clerk", _("窗口人员")

    username = models.CharField(max_length=60, unique=True)
    display_name = models.CharField(max_length=80)
    # How the English pages call them; the name itself where it is empty.
    name_en = models.CharField(max_length=80, blank=True, default="", db_default="")
    role = models.CharField(max_length=20, choices=Role.choices)
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT)
    subject_id = models.CharField(max_length=20, blank=True, db_index=True)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False)
    left_on = models.DateField(null=True, blank=True)

    objects = AccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["display_name", "role"]

    def __str__(self) -> str:
        return self.display_name

    @property
    def shown_name(self) -> str:
        """The name in the reader's language."""
        english = (get_language() or "").startswith("en")
        return (self.name_en if english else "") or self.display_name


class Absence(models.Model):
    """Days on which a member of staff is away and who stands in."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="absences")
    substitute = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="stands_in_for")
    first_day = models.DateField()
    last_day = models.DateField()


class PersonalRead(models.Model):
    """One read of one subject's personal data, on record for the person it concerns."""

    subject_id = models.CharField(max_length=20, db_index=True)
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT)
    actor_name = models.CharField(max_length=80)
    department = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=40)
    elements = models.JSONField(default=list)
    case_id = models.CharField(max_length=40, blank=True)
    # With the salt the person can show that the ledger's leaf speaks of this read.
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)
    # Under which id it stands in the ledger, where the subject has another since a merge.
    recorded_as = models.CharField(max_length=20, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "-at"])]


class ApiToken(models.Model):
    """A personal token for the REST API: only its digest is kept, so it is shown once."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)


class SignInBucket(models.Model):
    """Failed sign-ins of one name or network address; in the database, so that it holds for all processes."""

    key = models.CharField(primary_key=True, max_length=100)
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()


class Authenticator(models.Model):
    """An authenticator app (TOTP, RFC 6238). The shared secret is kept sealed; a time step is accepted once."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="authenticator")
    sealed_secret = models.TextField()
    made_at = models.DateTimeField()
    # Empty until the first right code shows that the app holds the secret.
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)


class RecoveryCode(models.Model):
    """A code on paper that stands in for a lost second factor, once; only its keyed digest is kept."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Passkey(models.Model):
    """A passkey (WebAuthn credential): the public key only; the private one never leaves its device."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passkeys")
    credential = models.CharField(max_length=1400)
    credential_digest = models.CharField(max_length=64, unique=True)
    public_key = models.TextField()
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)
    synced = models.BooleanField(default=False)
    name = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)


class SignIn(models.Model):
    """One sign-in of an account on one device: what its owner sees and can end."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(max_length=80)
    # The network, never the whole address: 203.0.113.0/24.
    network = models.CharField(max_length=60)
    since = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    how_ended = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-since"], name="sign_ins_of_account")]


class Mandate(models.Model):
    """One account acts for a person or a firm: in which matters, from when until when, on what evidence."""

    class Basis(models.TextChoices):
        """What the mandate rests on."""

        GIVEN = "given", _("本人授权")
        GUARDIAN = "guardian", _("监护")

    class State(models.TextChoices):
        """Where it stands; whether it is in force also hangs on its days."""

        OFFERED = "offered", _("待接受")
        ACCEPTED = "accepted", _("已接受")
        REFUSED = "refused", _("已谢绝")
        REVOKED = "revoked", _("已撤销")

    principal_id = models.CharField(max_length=20, db_index=True)
    # Under which id it stands in the ledger, where the principal has another since a merge.
    recorded_as = models.CharField(max_length=20, blank=True, default="")
    principal_name = models.CharField(max_length=200)
    agent = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mandates")
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.GIVEN)
    # Ids of packs; empty where it covers every matter.
    scope = models.JSONField(default=list)
    every_matter = models.BooleanField(default=False)
    valid_from = models.DateField()
    valid_to = models.DateField()
    # Who put it in: the principal, somebody who acts for the firm, or a window clerk from paper.
    given_by = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="mandates_given")
    given_by_name = models.CharField(max_length=80)
    # The paper that a clerk took in: digest of the file, under which it lies.
    evidence = models.CharField(max_length=64, blank=True)
    evidence_name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["agent", "state", "valid_to"], name="mandates_of_agent")]


class MandateEvent(models.Model):
    """One act on a mandate, with its leaf: who gave, accepted, refused or revoked it, when and why."""

    mandate = models.ForeignKey(Mandate, on_delete=models.CASCADE, related_name="events")
    act = models.CharField(max_length=10)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    by_name = models.CharField(max_length=80)
    reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)


class WindowSession(models.Model):
    """A window clerk serves one person for at most half an hour; the person sees it among who read their data."""

    class Ground(models.TextChoices):
        """Why the clerk may serve this person now."""

        PRESENT = "present", _("本人到场")
        PROXY = "proxy", _("他人持委托书到场")

    clerk = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="window_sessions")
    subject_id = models.CharField(max_length=20, db_index=True)
    # Masked: what the banner calls them.
    shown_name = models.CharField(max_length=80)
    ground = models.CharField(max_length=10, choices=Ground.choices)
    proxy_name = models.CharField(max_length=80, blank=True)
    evidence = models.CharField(max_length=64, blank=True)
    evidence_name = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clerk"], condition=models.Q(ended_at=None), name="one_served_at_a_time"
            )
        ]
