"""Registers, certificates, their issues, the issuers' public keys: persistence only. JSON is kept as it was digested."""

from __future__ import annotations

from django.db import models

from chengshu.contexts.certificates.signatures.models import (
    HeldRevocationList,
    SignatureAuthority,
    SignatureAuthorityChange,
    SignedFile,
    SignedFileCase,
    SignedFileSigner,
)
from chengshu.contexts.certificates.wallet_models import (
    HolderKey,
    Offer,
    Presentation,
    Region,
    UsedNonce,
    WalletCredential,
)

__all__ = [
    "Certificate",
    "CertificateEvent",
    "Document",
    "EntryEvent",
    "Evidence",
    "HeldRevocationList",
    "HolderKey",
    "Issue",
    "IssuerKey",
    "NumberSeries",
    "Offer",
    "Presentation",
    "Region",
    "Register",
    "RegisterEntry",
    "RegisterKey",
    "SignatureAuthority",
    "SignatureAuthorityChange",
    "SignedFile",
    "SignedFileCase",
    "SignedFileSigner",
    "StatusList",
    "UsedNonce",
    "WalletCredential",
]


class Register(models.Model):
    """A register that has entries, as its pack calls it."""

    code = models.CharField(primary_key=True, max_length=60)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=200)


class RegisterKey(models.Model):
    """Who holds a key of a register: a case that has reserved it, the entry in force, or a grant that is had only once.

    One at a time, by constraint.
    """

    register = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    case_id = models.CharField(max_length=20)
    entered = models.BooleanField(default=False)
    # Granted by the case: it stays taken after the case has ended, until the grant is undone.
    kept = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["register", "key"], name="one_holder_of_a_key")]


class RegisterEntry(models.Model):
    """One entry of a register; ``fields``, a list of {name, label, value}, is what the register shows, no more."""

    class State(models.TextChoices):
        """Where an entry stands."""

        ACTIVE = "active", "有效"
        CANCELLED = "cancelled", "已注销"
        LAPSED = "lapsed", "已失效"
        REPLACED = "replaced", "已被替换"
        TRANSFERRED = "transferred", "已转移"

    register = models.CharField(max_length=60)
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    title = models.CharField(max_length=300)
    search = models.TextField()
    fields = models.TextField()
    case_id = models.CharField(max_length=20, db_index=True)
    department = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    entered_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["register", "number"], name="one_number_in_a_register"),
            models.UniqueConstraint(
                fields=["register", "key"], condition=models.Q(state="active"), name="one_active_entry_a_key"
            ),
        ]
        indexes = [models.Index(fields=["register", "state", "-number"], name="entries_of_register")]


class EntryEvent(models.Model):
    """One line of an entry's history."""

    entry = models.ForeignKey(RegisterEntry, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    reason = models.CharField(max_length=300, blank=True)
    changes = models.TextField(default="{}")
    leaf_id = models.BigIntegerField()
    at = models.DateTimeField()


class NumberSeries(models.Model):
    """The last serial given out of a series in a year: numbers are gapless, for they are taken in the step's transaction."""

    series = models.CharField(max_length=60)
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "year"], name="one_row_a_series")]


class StatusList(models.Model):
    """A status list of an issuer; each issue of a certificate, or each credential in a wallet, has one place in it."""

    class Kind(models.TextChoices):
        """Whose places a list holds."""

        ISSUE = "issue", "证照"
        WALLET = "wallet", "钱包凭证"

    issuer = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ISSUE)
    size = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()


class Certificate(models.Model):
    """A certificate for life: its number stays, each renewal or change is another issue of it."""

    class State(models.TextChoices):
        """Where a certificate stands; that its time has passed is told by ``valid_to``."""

        ACTIVE = "active", "有效"
        SUSPENDED = "suspended", "已暂停"
        REVOKED = "revoked", "已撤销"
        EXPIRED = "expired", "已过期"
        REPLACED = "replaced", "已替换"

    number = models.CharField(max_length=60, unique=True)
    type = models.CharField(max_length=60)
    title_zh = models.CharField(max_length=120)
    title_en = models.CharField(max_length=200)
    case_id = models.CharField(max_length=20, db_index=True)
    department = models.CharField(max_length=40, blank=True)
    holder = models.CharField(max_length=200)
    # An opaque subject id: whose page shows it. A personal or credit number is kept masked alone, in `holder_mark`.
    holder_id = models.CharField(max_length=40, blank=True, db_index=True)
    holder_mark = models.CharField(max_length=40, blank=True)
    holder_account = models.CharField(max_length=20, blank=True, db_index=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    version = models.PositiveIntegerField(default=1)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    # A list of {name, label, value}, the words in both languages.
    claims = models.TextField()
    reason = models.CharField(max_length=300, blank=True)
    issued_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case_id", "type"],
                condition=models.Q(state__in=["active", "suspended"]),
                name="one_certificate_a_case",
            )
        ]
        indexes = [models.Index(fields=["department", "-issued_at"], name="certificates_by_department")]


class CertificateEvent(models.Model):
    """One line of a certificate's history."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    reason = models.CharField(max_length=300, blank=True)
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)
    at = models.DateTimeField()


class Issue(models.Model):
    """One issue of a certificate: what its PDF and credential say. They are made by a job, once."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="issues")
    version = models.PositiveIntegerField()
    holder = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    claims = models.TextField()
    # The bit in both status lists; chosen at random, so that a neighbour's bit says nothing of when one was issued.
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT)
    status_index = models.PositiveIntegerField()
    state = models.CharField(max_length=12, default="active")
    key = models.CharField(max_length=120, unique=True)
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    credential = models.TextField(blank=True)
    # The same as SD-JWT VC, bound to the key that the hall keeps for the holder; and as vc+jwt signed by SM2.
    sd_jwt = models.TextField(blank=True)
    credential_sm2 = models.TextField(blank=True)
    qr_text = models.TextField(blank=True)
    pdf_digest = models.CharField(max_length=64, blank=True)
    pdf_size = models.PositiveIntegerField(default=0)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["certificate", "version"], name="one_issue_a_version"),
            models.UniqueConstraint(fields=["status_list", "status_index"], name="one_bit_an_issue"),
        ]


class Document(models.Model):
    """A document of a case, typeset from its pack's template and sealed: a decision, a notice, a receipt."""

    case_id = models.CharField(max_length=20, db_index=True)
    template = models.CharField(max_length=60)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    number = models.CharField(max_length=60)
    department = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=120, unique=True)
    # The number is taken before the file is made: it stands printed on it.
    asked_at = models.DateTimeField()
    pdf_digest = models.CharField(max_length=64, blank=True)
    pdf_size = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)


class Evidence(models.Model):
    """A file's digest in the ledger: whoever holds the file can show that it was there at that time."""

    case_id = models.CharField(max_length=20, db_index=True)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=128)
    key = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField()
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)


class IssuerKey(models.Model):
    """The public side of a key that signs for an issuer; old ones stay, so that what they signed is still verified."""

    class Use(models.TextChoices):
        """What a key signs."""

        AUTHORITY = "authority", "根证书"
        SEAL = "seal", "印章"
        CREDENTIAL = "credential", "凭证"
        SM2 = "sm2", "国密凭证"
        CODE = "code", "市民码"

    kid = models.CharField(max_length=80, unique=True)
    issuer = models.CharField(max_length=40)
    use = models.CharField(max_length=12, choices=Use.choices)
    jwk = models.TextField()
    certificate = models.TextField(blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    # After this instant nothing that it signed counts: the key was in wrong hands.
    compromised_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "use"],
                condition=models.Q(retired_at__isnull=True),
                name="one_key_in_use",
            )
        ]
