"""Drafts know for whom they are typed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_acting_for_another")]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="subject_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=24),
        ),
    ]
