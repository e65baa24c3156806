"""Jobs for a faulty stack, each of an account of its own; run in the stack's environment.

`python -m dev.faults.seed submit` reads `{name: {"annotate.publish.before": "process", ...}, ...}`,
writes the plans of each job before its message is sent, and prints `{name: [job, input]}`.
`python -m dev.faults.seed subscribe` reads a list of names and subscribes their accounts.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import transaction

from dev.faults.configured import READY
from gas.models import User, WebhookEvent
from gas.services import jobs, subscriptions, uploads, webhooks
from gas.storage import objects
from gas.storage.locations import inputs


def submit(cases: dict[str, dict[str, str]]) -> dict[str, tuple[int, str]]:
    """Make the jobs."""
    return {name: _submit(name, plans) for name, plans in cases.items()}


def _submit(name: str, plans: dict[str, str]) -> tuple[int, str]:
    owner = User.objects.create_user(name, f"{name}@example.org")
    if receiver := os.environ.get("GAS_FAULTS_RECEIVER"):  # each has one, which counts as jobs do
        webhooks.add(user=owner, url=f"{receiver}/{name}", events=[WebhookEvent.RESTORED])
    upload = uploads.begin(owner=owner, filename=f"{name}.vcf").upload
    objects.publish(jobs.EXAMPLE, inputs(upload.key))
    with transaction.atomic():
        job = jobs.submit(upload=upload)
        for place, action in plans.items():
            Path(os.environ["GAS_FAULTS"], f"{place}.{job.pk}").write_text(action)
    return job.pk, upload.key


def subscribe(names: list[str]) -> None:
    """Start a paid period for each account."""
    for user in User.objects.filter(username__in=names):
        subscriptions.activate(
            user=user, customer_id=f"customer-{user.pk}", provider_id=f"subscription-{user.pk}"
        )


VERBS: dict[str, Callable[[Any], object]] = {"submit": submit, "subscribe": subscribe}

if __name__ == "__main__" and READY:
    print(json.dumps(VERBS[sys.argv[1]](json.load(sys.stdin))))
