"""Keep under which subject id reads and mandates stand in the ledger: after a merge their proofs still hold."""

from django.db import migrations, models

FIELD = models.CharField(blank=True, default="", max_length=20)


class Migration(migrations.Migration):
    dependencies = [("identity", "0004_acts_on_mandates")]

    operations = [
        migrations.AddField(model_name="personalread", name="recorded_as", field=FIELD),
        migrations.AddField(model_name="mandate", name="recorded_as", field=FIELD),
    ]
