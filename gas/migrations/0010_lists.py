"""What lists of a million jobs need: the words to look for, and an index for each question."""

from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations, models

from gas.models.search import folded

PAGE = 1000

#: Words within one owner's jobs, or in all of them; SQLite, where a laptop's few jobs are, has none.
TRIGRAMS = """
CREATE INDEX job_by_words ON gas_job USING gin (owner_id, search_text gin_trgm_ops)
WITH (fastupdate = off)
"""


def fill_in(apps, schema_editor):
    Job = apps.get_model("gas", "Job")
    page = []
    for job in Job.objects.select_related("upload").order_by("pk").iterator(PAGE):
        job.search_text = folded(f"{job.name}\n{job.upload.filename}")
        page.append(job)
        if len(page) == PAGE:
            Job.objects.bulk_update(page, ["search_text"])
            page = []
    Job.objects.bulk_update(page, ["search_text"])


def on_postgres(statement):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [
        ("gas", "0009_uploads_in_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="search_text",
            field=models.TextField(
                blank=True, editable=False, help_text="Name and file name, as they are looked for."
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["owner", "created_at", "id"], name="job_of_owner_by_date"),
        ),
        migrations.AddIndex(
            model_name="jobevent",
            index=models.Index(
                condition=models.Q(("after", "completed"), ("before", "running")),
                fields=["-id"],
                name="event_annotated",
            ),
        ),
        migrations.RunPython(fill_in, migrations.RunPython.noop),
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.RunPython(
            on_postgres(TRIGRAMS), on_postgres("DROP INDEX IF EXISTS job_by_words")
        ),
    ]
