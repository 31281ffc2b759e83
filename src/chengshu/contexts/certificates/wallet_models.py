"""What a holder holds and shows: keys in custody, offers to wallets, credentials in wallets, presentations; other regions.

Persistence only.
"""

from __future__ import annotations

from django.db import models


class HolderKey(models.Model):
    """The key that the hall keeps for an account, to bind what it shows; the private side is sealed under a key in a file."""

    account = models.CharField(max_length=20, unique=True)
    jwk = models.TextField()
    sealed = models.TextField()
    made_at = models.DateTimeField()


class Offer(models.Model):
    """An offer of a certificate to the holder's own wallet (OpenID4VCI): once, for minutes. Secrets are kept as digests."""

    reference = models.CharField(max_length=64, unique=True)
    certificate = models.ForeignKey("Certificate", on_delete=models.PROTECT, related_name="offers")
    account = models.CharField(max_length=20)
    # Opens nothing without the transaction code, which only the holder's page shows.
    code = models.CharField(max_length=64)
    code_digest = models.CharField(max_length=64, unique=True)
    tx_digest = models.CharField(max_length=64)
    wrong_tries = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    token_digest = models.CharField(max_length=64, blank=True, db_index=True)
    token_until = models.DateTimeField(null=True)


class WalletCredential(models.Model):
    """A credential that a wallet took, bound to a key of the wallet, with a place of its own in the status lists."""

    issue = models.ForeignKey("Issue", on_delete=models.PROTECT, related_name="wallet_credentials")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="credentials", null=True)
    holder_kid = models.CharField(max_length=64)
    status_list = models.ForeignKey("StatusList", on_delete=models.PROTECT)
    status_index = models.PositiveIntegerField()
    notification = models.CharField(max_length=40, db_index=True)
    # What the wallet told: accepted, deleted, failed; empty until it tells.
    told = models.CharField(max_length=24, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField()

    class Meta:
        """One place in a list for one credential."""

        constraints = [
            models.UniqueConstraint(
                fields=["status_list", "status_index"], name="one_place_a_wallet_credential"
            )
        ]


class UsedNonce(models.Model):
    """A nonce of a proof that was used: it counts once. Old rows are swept."""

    digest = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField(db_index=True)


class Presentation(models.Model):
    """What a holder showed, to whom and until when; the text says no more than what was chosen."""

    token = models.CharField(max_length=40, unique=True)
    issue = models.ForeignKey("Issue", on_delete=models.PROTECT, related_name="presentations")
    account = models.CharField(max_length=20, db_index=True)
    audience = models.CharField(max_length=200)
    purpose = models.CharField(max_length=200, blank=True)
    # The names of what is disclosed, separated by spaces.
    disclosed = models.TextField()
    nonce = models.CharField(max_length=80)
    text = models.TextField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    opened = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField()
    leaf_salt = models.CharField(max_length=64)


class Region(models.Model):
    """Another region whose issuers are recognised: its signed list, the types that count, and from when to when."""

    code = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    document = models.TextField()
    # The thumbprint that the operator has compared by another way; the key that must sign the next list.
    signer = models.CharField(max_length=64)
    # Codes of types, separated by spaces.
    types = models.TextField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    made_at = models.DateTimeField()
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=80, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    leaf_id = models.BigIntegerField()
