"""Let the draft of a guide say on which version it was begun."""

from django.db import migrations, models


def find_versions(apps, schema_editor):
    """A draft of before was begun on the version that stood when it was saved."""
    versions = apps.get_model("hall", "ItemVersion").objects
    for draft in apps.get_model("hall", "ItemDraft").objects.all():
        stood = versions.filter(item_id=draft.item_id, at__lte=draft.saved_at).aggregate(n=models.Max("number"))
        draft.based_on = stood["n"] or 0
        draft.save(update_fields=["based_on"])


class Migration(migrations.Migration):
    dependencies = [("hall", "0006_one_first_reading")]

    operations = [
        migrations.AddField(
            model_name="itemdraft",
            name="based_on",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunPython(find_versions, migrations.RunPython.noop),
    ]
