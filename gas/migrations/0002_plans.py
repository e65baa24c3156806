from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

MIB = 1024**2


def add_plans(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    plans = apps.get_model("gas", "Plan").objects
    plans.create(name="free", max_upload_bytes=50 * MIB, max_active_jobs=10, archives=True)
    plans.create(
        name="premium", max_upload_bytes=5 * 1024 * MIB, max_active_jobs=100, archives=False
    )


class Migration(migrations.Migration):
    dependencies = [("gas", "0001_initial")]
    operations = [migrations.RunPython(add_plans, migrations.RunPython.noop)]
