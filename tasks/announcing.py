"""Tells other systems of jobs by a topic of SNS: a part of the sweep, so within a minute or so.

The row of an event goes when the topic has taken it: who dies between publishes it again, under the
same id.
"""

import json
import logging

from django.conf import settings
from django.urls import reverse

from gas.models import Announcement, WebhookEvent
from gas.storage import topics
from gas.storage.topics import BATCH, Word
from gas.webhooks.calls import STATES

logger = logging.getLogger(__name__)

#: Calls of SNS in one sweep: the events of some minutes of a million jobs a day.
MOST_CALLS = 500


def announce() -> int:
    """Publish what is owed, the oldest first; returns how many events the topic took."""
    told, last = 0, 0
    for _ in range(MOST_CALLS if settings.EVENTS_TOPIC else 0):
        owed = list(Announcement.objects.filter(pk__gt=last).order_by("pk")[:BATCH])
        if not owed:
            break
        taken = topics.publish(settings.EVENTS_TOPIC, [word_of(each) for each in owed])
        Announcement.objects.filter(message_id__in=taken).delete()
        if left := len(owed) - len(taken):  # which stand before nobody
            logger.warning("the topic of events has not taken %d of %d", left, len(owed))
        told, last = told + len(taken), owed[-1].pk
    return told


def word_of(owed: Announcement) -> Word:
    """Numbers, states and links, the same at each try; nothing of a person, a file or a variant."""
    event, number = WebhookEvent(owed.event), owed.job_number
    links = {
        "page": settings.BASE_URL + reverse("job", args=[number]),
        "api": f"{settings.BASE_URL}/api/v1/jobs/{number}",
    }
    said = {
        "id": str(owed.message_id),
        "type": event,
        "timestamp": owed.created_at.isoformat(),
        "data": {"job": {"id": number, "status": STATES[event], "links": links}},
    }
    body = json.dumps(said, separators=(",", ":"))
    return Word(str(owed.message_id), body, {"type": event})
