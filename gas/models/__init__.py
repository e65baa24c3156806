"""The domain: accounts, uploads, jobs, what happened to them, and what staff must know."""

from gas.models.access import ApiToken, Scope, SignIn
from gas.models.account import (
    BillingEvent,
    GlobusToken,
    Grant,
    Limits,
    Plan,
    Subscription,
    User,
)
from gas.models.announcements import Announcement
from gas.models.audit import AccountEvent, DeclinedTopic, JobEvent, Notice, Topic
from gas.models.claims import LeaseLost
from gas.models.files import Discard, ResultFile, Upload
from gas.models.job import Job
from gas.models.operations import Maintenance, QueueState, Sample, Usage, Worker
from gas.models.requests import Allowance, IdempotencyKey, Taken
from gas.models.staff import Alarm, Reconciliation, StaffAct
from gas.models.status import CLAIMED_FROM, IN_FLIGHT, TRANSITIONS, Failure, Status
from gas.models.webhooks import Delivery, OwnerBusy, Webhook, WebhookEvent, calls_owed

__all__ = [
    "CLAIMED_FROM",
    "IN_FLIGHT",
    "TRANSITIONS",
    "AccountEvent",
    "Alarm",
    "Allowance",
    "Announcement",
    "ApiToken",
    "BillingEvent",
    "DeclinedTopic",
    "Delivery",
    "Discard",
    "Failure",
    "GlobusToken",
    "Grant",
    "IdempotencyKey",
    "Job",
    "JobEvent",
    "LeaseLost",
    "Limits",
    "Maintenance",
    "Notice",
    "OwnerBusy",
    "Plan",
    "QueueState",
    "Reconciliation",
    "ResultFile",
    "Sample",
    "Scope",
    "SignIn",
    "StaffAct",
    "Status",
    "Subscription",
    "Taken",
    "Topic",
    "Upload",
    "Usage",
    "User",
    "Webhook",
    "WebhookEvent",
    "Worker",
    "calls_owed",
]
