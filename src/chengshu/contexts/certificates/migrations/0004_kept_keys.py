from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('certificates', '0003_wallets_and_regions'),
    ]

    operations = [
        migrations.AddField(
            model_name='registerkey',
            name='kept',
            field=models.BooleanField(default=False),
        ),
    ]
