import uuid

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gas', '0020_tombstones'),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('event', models.CharField(choices=[('job.started', 'A job begins'), ('job.completed', 'Results are ready'), ('job.failed', 'A job failed'), ('job.cancelled', 'A job was cancelled'), ('job.archived', 'Results moved to the archive'), ('job.restored', 'Results are back from the archive'), ('webhook.test', 'A test that its owner asked for')], max_length=20)),
                ('job_number', models.BigIntegerField(help_text='The job, which may be deleted by now.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
    ]
