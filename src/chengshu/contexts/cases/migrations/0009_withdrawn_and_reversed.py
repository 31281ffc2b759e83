"""Cases know when they were withdrawn, or a decision of theirs was undone, and by which step."""

import datetime as dt

from django.db import migrations, models
from django.utils import timezone

# What the packs meant that shipped before they could say so: cases of the last ninety days keep their place in the lists.
WITHDRAWN = ["withdrawn", "deemed-withdrawn", "abandoned", "forgotten", "dropped", "returned"]
REVERSED = [
    ("childbirth-subsidy", "recovered"), ("data-ip-registration", "opposed"), ("fire-safety-check", "revoked"),
    ("food-permit", "revoked"), ("listed-project", "removed"), ("mandatory-standard", "terminated"),
    ("public-data-operation", "revoked"), ("public-data-resource", "struck-off"), ("seconds-review", "corrected"),
]  # fmt: skip


def fill(apps, schema_editor):
    Case = apps.get_model("cases", "Case")
    lately = Case.objects.filter(closed_at__gte=timezone.now() - dt.timedelta(days=90))
    when = {"turned_at": models.F("closed_at"), "turned_seq": models.F("version")}
    lately.filter(outcome__in=WITHDRAWN).update(turned="withdrawn", **when)
    for pack, outcome in REVERSED:
        lately.filter(pack=pack, outcome=outcome).update(turned="reversed", **when)


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_drafts_for_another")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="turned",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
        migrations.AddField(
            model_name="case", name="turned_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="case", name="turned_seq", field=models.PositiveIntegerField(null=True)
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("turned", ""), _negated=True),
                fields=["turned", "turned_at", "pack"],
                name="case_turned",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
