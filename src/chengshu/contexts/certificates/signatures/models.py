"""The list of recognised signature authorities, its changes, the revocation lists held, and what was found. Persistence only."""

from __future__ import annotations

from django.db import models


class SignatureAuthority(models.Model):
    """A certification authority whose certificates count for signatures here."""

    code = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160)
    jurisdiction = models.CharField(max_length=8)
    # PEM, one after the other; and a JSON list of {holder, said}.
    certificates = models.TextField()
    policy = models.CharField(max_length=120)
    marks = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    ground = models.CharField(max_length=300)
    demo = models.BooleanField(default=False)


class SignatureAuthorityChange(models.Model):
    """What was done with an authority on the list: each a leaf of the ledger. ``at``: from when on it holds."""

    authority = models.ForeignKey(SignatureAuthority, on_delete=models.PROTECT, related_name="changes")
    how = models.CharField(max_length=16)
    at = models.DateTimeField()
    ground = models.CharField(max_length=300, blank=True)
    by = models.CharField(max_length=80, blank=True)
    recorded_at = models.DateTimeField()
    leaf_id = models.BigIntegerField()


class HeldRevocationList(models.Model):
    """A revocation list of a recognised authority, as it was loaded (DER in Base64)."""

    authority = models.ForeignKey(
        SignatureAuthority, on_delete=models.PROTECT, related_name="revocation_lists"
    )
    digest = models.CharField(max_length=64, unique=True)
    # Whose certificates it speaks of, so that a certificate's lists are found without reading any: the issuer's name and key;
    # only authorities' (``ca``) or others' (``user``); at which distribution points, as digests, empty for all.
    issuer = models.CharField(max_length=64, default="")
    only = models.CharField(max_length=12, blank=True, default="")
    points = models.CharField(max_length=400, blank=True, default="")
    content = models.TextField()
    made_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    revoked = models.PositiveIntegerField()
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["issuer", "made_at", "only", "points"], name="lists_of_an_issuer"),
            models.Index(fields=["authority", "made_at"], name="lists_of_an_authority"),
        ]


class SignedFile(models.Model):
    """A signed file that came with cases: what its signatures are worth, persons masked; judged anew when the list changes."""

    digest = models.CharField(max_length=64, unique=True)
    # When the hub first had it, with whichever case: what was in hand before a suspension or a revocation counts.
    received_at = models.DateTimeField()
    findings = models.TextField()
    judged_at = models.DateTimeField()


class SignedFileCase(models.Model):
    """A case that has a signed file. The file's findings stay until the last of its cases is erased."""

    file = models.ForeignKey(SignedFile, on_delete=models.CASCADE, related_name="cases")
    case_id = models.CharField(max_length=20, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "case_id"], name="a_signed_file_once_a_case")]


class SignedFileSigner(models.Model):
    """By whose certificate a file is signed, and how that stood: tells which files a change of the list concerns."""

    file = models.ForeignKey(SignedFile, on_delete=models.CASCADE, related_name="signers")
    # The digest of the issuer's name; empty: not known, it was judged before this was noted.
    issuer = models.CharField(max_length=64, blank=True)
    serial = models.CharField(max_length=50, blank=True)
    outcome = models.CharField(max_length=12)

    class Meta:
        indexes = [models.Index(fields=["issuer", "file"], name="files_signed_under")]
