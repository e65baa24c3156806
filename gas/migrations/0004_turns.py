from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

GIB = 1024**3


def widen_premium(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A long queue harms nobody now; a limit that staff have set themselves stays."""
    premium = apps.get_model("gas", "Plan").objects.filter(name="premium")
    premium.update(max_running_jobs=8, max_stored_bytes=1024 * GIB)
    premium.filter(max_active_jobs=100).update(max_active_jobs=20_000)


class Migration(migrations.Migration):
    dependencies = [("gas", "0003_tables")]
    operations = [
        migrations.AddField(
            model_name="plan",
            name="max_running_jobs",
            field=models.PositiveIntegerField(
                default=2, help_text="Of these, the jobs that workers are given at once."
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="max_stored_bytes",
            field=models.BigIntegerField(
                default=20 * GIB, help_text="Inputs and results at hand, in bytes."
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="turn_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When a job of theirs last began.",
                null=True,
            ),
        ),
        migrations.RunPython(widen_premium, migrations.RunPython.noop),
    ]
