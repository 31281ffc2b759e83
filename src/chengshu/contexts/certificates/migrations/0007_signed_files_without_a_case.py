"""The one case of a signed file stands among its cases; a step of its own: PostgreSQL alters no table with rows still to check."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("certificates", "0006_signed_files_of_several_cases")]

    operations = [migrations.RemoveField("signedfile", "case_id")]
