from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('hall', '0007_drafts_know_their_version'),
    ]

    operations = [
        migrations.AddField(
            model_name='export',
            name='format',
            field=models.CharField(db_default='csv', default='csv', max_length=4),
        ),
    ]
