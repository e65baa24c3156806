"""How often programs may ask, and what was done already under which key."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


def quicken_premium(apps, schema_editor):
    """Five times what others may ask; a limit that staff have set themselves stays."""
    premium = apps.get_model("gas", "Plan").objects.filter(name="premium")
    premium.filter(requests_per_minute=120).update(requests_per_minute=600)


class Migration(migrations.Migration):
    dependencies = [("gas", "0013_staff")]
    operations = [
        migrations.AddField(
            model_name="plan",
            name="requests_per_minute",
            field=models.PositiveIntegerField(
                default=120,
                help_text="Requests to the API, with all tokens of an account together.",
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.RunPython(quicken_premium, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Allowance",
            fields=[
                (
                    "key",
                    models.CharField(max_length=100, primary_key=True, serialize=False),
                ),
                (
                    "spent_until",
                    models.FloatField(help_text="Seconds since 1970, by the database's clock."),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["spent_until"], name="allowance_unused")],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                (
                    "request",
                    models.CharField(
                        help_text="Hexadecimal SHA-256 of what was asked.", max_length=64
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="gas.job",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="idempotency_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="one_request_of_a_key")
                ],
                "indexes": [models.Index(fields=["created_at"], name="idempotency_key_age")],
            },
        ),
    ]
