"""Systems that sign people in through us, what people allowed them, each sign-in; and identities at outside providers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from oauth2_provider.models import AbstractApplication

from chengshu.interfaces.oidc.keys import signing_key


class ClientSystem(AbstractApplication):
    """Another system that signs people in through us; the operator registers it, ends it, and says what it may ask."""

    name_en = models.CharField(max_length=120, blank=True)
    purpose = models.CharField(max_length=200)
    contact = models.CharField(max_length=120, blank=True)
    scopes = models.JSONField(default=list)
    ended_at = models.DateTimeField(null=True)

    def is_usable(self, request: object) -> bool:
        """Say whether the system may still sign anyone in."""
        return self.ended_at is None

    @property
    def jwk_key(self) -> object:
        """Return the key that signs identity tokens; it changes without a restart."""
        return signing_key()

    @property
    def shown_name(self) -> str:
        """The name in the reader's language."""
        english = (get_language() or "").startswith("en")
        return (self.name_en if english else "") or self.name


class Pseudonym(models.Model):
    """What one person is called towards one system: random, so that two systems cannot compare their lists."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    system = models.ForeignKey(ClientSystem, on_delete=models.CASCADE, related_name="+")
    sub = models.UUIDField(unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "system"], name="one_pseudonym_each")]


class Consent(models.Model):
    """What someone allowed a system to learn about them, until they take it back."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    system = models.ForeignKey(ClientSystem, on_delete=models.CASCADE, related_name="+")
    scopes = models.JSONField(default=list)
    given_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "system"],
                condition=models.Q(revoked_at=None),
                name="one_consent_in_force",
            )
        ]


class SignIn(models.Model):
    """One sign-in to a system through us: on record for the person, with a leaf in the ledger."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    system = models.ForeignKey(ClientSystem, on_delete=models.CASCADE, related_name="+")
    scopes = models.JSONField(default=list)
    amr = models.JSONField(default=list)
    authenticated_at = models.DateTimeField()
    code_digest = models.CharField(max_length=64, unique=True)
    token_family = models.UUIDField(null=True, db_index=True)
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "-at"])]


class OutsideIdentity(models.Model):
    """Someone's identity at an outside provider, linked to their account by themselves."""

    provider = models.SlugField(max_length=40)
    subject = models.CharField(max_length=255)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    linked_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "subject"], name="one_account_for_an_identity"),
            models.UniqueConstraint(fields=["provider", "account"], name="one_identity_at_a_provider"),
        ]
