from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subjects', '0003_why_a_source_is_resumed'),
    ]

    operations = [
        migrations.AddField(
            model_name='dispute',
            name='raised_by_account',
            field=models.BigIntegerField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name='dispute',
            name='raised_for',
            field=models.CharField(blank=True, db_default='', db_index=True, default='', max_length=24),
        ),
    ]
