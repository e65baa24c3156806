"""The domain: accounts, uploads, jobs, and what happened to them."""

from gas.models.account import BillingEvent, GlobusToken, Plan, Subscription, User
from gas.models.audit import JobEvent, Notice
from gas.models.files import ResultFile, Upload
from gas.models.job import IN_FLIGHT, TRANSITIONS, Job, LeaseLost, Status

__all__ = [
    "IN_FLIGHT",
    "TRANSITIONS",
    "BillingEvent",
    "GlobusToken",
    "Job",
    "JobEvent",
    "LeaseLost",
    "Notice",
    "Plan",
    "ResultFile",
    "Status",
    "Subscription",
    "Upload",
    "User",
]
