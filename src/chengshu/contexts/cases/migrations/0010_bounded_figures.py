"""Indexes by which figures and lists of all cases are read as far as they are shown, however many cases there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_withdrawn_and_reversed")]

    operations = [
        migrations.RemoveIndex(model_name="case", name="case_by_due"),
        migrations.RemoveIndex(model_name="case", name="case_turned"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)),
                fields=["pack", "due_at", "id", "amber_at", "department", "closed_at"],
                name="open_cases",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["pack", "closed_at", "id", "department"],
                name="ended_cases",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("turned", ""), _negated=True),
                fields=["turned", "turned_at", "id", "pack", "department"],
                name="case_turned",
            ),
        ),
    ]
