"""What other systems are told of jobs, by a topic: owed with the move, as calls of webhooks are."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from gas.models.status import Status
from gas.models.webhooks import NEWS, WebhookEvent


class Announcement(models.Model):
    """One event that the topic is yet to take; the row goes when it has, so at least once."""

    message_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=20, choices=WebhookEvent.choices)
    job_number = models.BigIntegerField(help_text="The job, which may be deleted by now.")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.event} {self.message_id}"


def owe_announcement(job_id: int, before: Status, after: Status) -> None:
    """Owe the topic a word about a move, if there is a topic; inside the move's transaction."""
    event = NEWS.get((before, after))
    if event is not None and settings.EVENTS_TOPIC:
        Announcement.objects.create(event=event, job_number=job_id)
