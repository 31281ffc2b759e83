"""What can be rated, and the ratings: persistence only."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """How a person came to a service, and where a rating is given."""

    HALL = "hall", _("大厅窗口")
    HOTLINE = "hotline", _("热线")
    PORTAL = "portal", _("门户网页")
    MOBILE = "mobile", _("移动端")


class Service(models.Model):
    """A service to a person: a case, a hotline request or a turn at the window. One row each, made when it begins.

    Statistics count these rows, so a service that nobody rated, or that somebody would rather forget, is in them. Round 2
    is the rating of what was done about a bad one.
    """

    reference = models.CharField(max_length=40)
    round = models.PositiveSmallIntegerField(default=1)
    case_id = models.CharField(max_length=20, blank=True)
    pack = models.CharField(max_length=60)
    department = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    # Who may rate it: the account that began it, and whose matter it was.
    account_id = models.BigIntegerField(null=True)
    subject_id = models.CharField(max_length=24, blank=True)
    served_by = models.JSONField(default=list)
    # What the person had to bring and how often they had to come: for the rates of the statistics.
    papers = models.PositiveSmallIntegerField(default=0)
    visit_days = models.JSONField(default=list)
    began_at = models.DateTimeField()
    promised_at = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)
    outcome = models.CharField(max_length=50, blank=True)
    ended_at = models.DateTimeField(null=True)
    invited_at = models.DateTimeField(null=True)
    # The day only: with the time, an anonymous rating could be found again.
    rated_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference", "round"], name="one_service_a_round"),
        ]
        indexes = [
            models.Index(
                fields=["round", "ended_at", "department", "pack", "channel"], name="services_ended"
            ),
            models.Index(fields=["case_id"], name="services_of_case"),
            models.Index(fields=["account_id", "-began_at"], name="services_of_account"),
        ]


class Rating(models.Model):
    """A rating. ``ticket`` is a keyed digest of the service and the round: no service is rated twice, anonymous or not."""

    ticket = models.CharField(max_length=64, unique=True)
    # Empty when it is anonymous: nothing in the row leads to the case.
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="ratings")
    round = models.PositiveSmallIntegerField(default=1)
    pack = models.CharField(max_length=60)
    department = models.CharField(max_length=40)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    # Where it was given, which need not be where the service was had.
    via = models.CharField(max_length=8, choices=Channel.choices)
    grade = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list)
    comment = models.TextField(blank=True)
    anonymous = models.BooleanField(default=False)
    contact = models.CharField(max_length=20, blank=True)
    account_id = models.BigIntegerField(null=True)
    # An anonymous person reads the answer and rates it by the receipt; only its digest is kept.
    receipt_digest = models.CharField(max_length=64, blank=True, db_index=True)
    follow_up = models.CharField(max_length=20, blank=True, db_index=True)
    set_aside = models.CharField(max_length=30, blank=True)
    set_aside_at = models.DateTimeField(null=True)
    given_at = models.DateTimeField()
    leaf_id = models.BigIntegerField(null=True)
    leaf_salt = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(grade__gte=1, grade__lte=5), name="five_grades"),
            models.CheckConstraint(
                condition=models.Q(anonymous=False) | models.Q(service=None, account_id=None, contact=""),
                name="anonymous_is_anonymous",
            ),
        ]
        indexes = [
            models.Index(fields=["round", "department", "pack", "channel", "grade"], name="ratings_counted"),
            models.Index(fields=["department", "-given_at"], name="ratings_of_department"),
        ]
