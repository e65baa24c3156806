from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gas", "0015_webhooks")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="correlation",
            field=models.CharField(
                blank=True,
                editable=False,
                help_text="What its lines in the log bear.",
                max_length=32,
            ),
        ),
    ]
