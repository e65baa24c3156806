from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gas", "0010_lists"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="stages",
            field=models.JSONField(
                blank=True,
                default=list,
                editable=False,
                help_text="What it has been at, and since when.",
            ),
        ),
    ]
