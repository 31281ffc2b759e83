"""What is filed by command does not move the place that the archive's job has come to."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("hall", "0009_archive")]

    operations = [migrations.AddField("archivepackage", "ahead", models.BooleanField(default=False))]
