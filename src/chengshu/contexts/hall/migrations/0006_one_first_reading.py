"""Let only one reading of a citizen code be the first, whatever comes at once."""

from django.db import migrations, models


def number_readings(apps, schema_editor):
    """Count the readings that are known already, in the order in which they came."""
    uses = apps.get_model("hall", "CodeUse").objects
    twice = uses.values("number").annotate(times=models.Count("pk")).filter(times__gt=1)
    for number in list(twice.values_list("number", flat=True)):
        for place, pk in enumerate(uses.filter(number=number).order_by("pk").values_list("pk", flat=True)):
            uses.filter(pk=pk).update(reading=place)


class Migration(migrations.Migration):
    dependencies = [("hall", "0005_citizen_code")]

    operations = [
        migrations.AddField(
            model_name="codeuse", name="reading", field=models.PositiveIntegerField(default=0)
        ),
        migrations.RunPython(number_readings, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="codeuse",
            constraint=models.UniqueConstraint(fields=("number", "reading"), name="one_first_reading"),
        ),
    ]
