"""Accounts, departments, absences and reads of personal data: persistence only."""

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
