"""The account: what it may do, what it uses, its subscription, its tokens; and references."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from gas.api.schemas.base import one_of, shown
from gas.models import Scope
from gas.models import Subscription as SubscriptionRow

SubscriptionStatus = Annotated[SubscriptionRow.Status, one_of(SubscriptionRow.Status)]

_PLAN = {
    "name": "free",
    "max_upload_bytes": 52428800,
    "max_active_jobs": 10,
    "max_running_jobs": 2,
    "max_stored_bytes": 21474836480,
    "max_jobs_a_day": None,
    "requests_per_minute": 120,
    "retention_seconds": 300,
}
_TOKEN = {
    "id": 3,
    "name": "notebook",
    "scopes": ["jobs:read", "jobs:write"],
    "created_at": "2026-03-02T09:30:00Z",
    "expires_at": "2026-06-02T09:30:00Z",
    "used_at": None,
    "revoked_at": None,
    "is_living": True,
}
_BUNDLE = {
    "name": "demo-grch38",
    "id": "demo-grch38/1",
    "assembly": "GRCh38",
    "genes": "RefSeq of 2024-08",
    "contigs": 2,
    "is_default": True,
    "vep_cache": None,
    "sources": [{"name": "ClinVar", "release": "2024-08-05", "columns": ["clinvar_significance"]}],
}


class Plan(Schema):
    """What a plan allows; bytes and counts."""

    model_config = shown(**_PLAN)

    name: str
    max_upload_bytes: int = Field(description="Largest input file.")
    max_active_jobs: int = Field(description="Jobs queued or running at once.")
    max_running_jobs: int = Field(description="Of these, jobs that run at once.")
    max_stored_bytes: int = Field(description="Inputs and results at hand.")
    max_jobs_a_day: int | None = Field(description="Jobs submitted in a day (UTC), if limited.")
    requests_per_minute: int = Field(description="Requests to the API, with all tokens together.")
    retention_seconds: int | None = Field(
        description="How long results stay at hand; nothing when they stay for good."
    )


class Usage(Schema):
    """What of the plan is in use."""

    model_config = shown(active_jobs=1, stored_bytes=48211, jobs_today=3)

    active_jobs: int = Field(description="Jobs queued or running.")
    stored_bytes: int = Field(description="Inputs and results at hand, or on their way here.")
    jobs_today: int = Field(description="Jobs submitted since midnight (UTC).")


class Token(Schema):
    """One token, without its secret, which is shown once where it is made: on its page."""

    model_config = shown(**_TOKEN)

    id: int
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="Its last use, to the minute.")
    revoked_at: datetime | None
    is_living: bool = Field(description="Whether it opens anything now.")


class TokenList(Schema):
    """The account's tokens, newest first."""

    model_config = shown(items=[_TOKEN])

    items: list[Token]


class TokenInUse(Schema):
    """The token of this request."""

    model_config = shown(id=3, name="notebook", scopes=["account:read"], expires_at="2026-06-02")

    id: int
    name: str
    scopes: list[Scope]
    expires_at: datetime


class Me(Schema):
    """Whose token this is, what it may do, the limits of the plan and what is in use."""

    model_config = shown(
        account="9c5b1e0e-1111-4aaa-8aaa-000000000001",
        plan=_PLAN,
        usage={"active_jobs": 1, "stored_bytes": 48211, "jobs_today": 3},
        token={
            "id": 3,
            "name": "notebook",
            "scopes": ["account:read"],
            "expires_at": "2026-06-02T09:30:00Z",
        },
    )

    account: str = Field(description="The Globus identity that opened the account.")
    plan: Plan
    usage: Usage
    token: TokenInUse


class Subscription(Schema):
    """What was bought last, and what is in the archive."""

    model_config = shown(
        plan="premium",
        status="active",
        started_at="2026-03-02T09:30:00Z",
        ended_at=None,
        unpaid_since=None,
        archived_jobs=0,
        dated_jobs=0,
        first_goes_at=None,
    )

    plan: str
    status: SubscriptionStatus | None = Field(description="Nothing when none was ever bought.")
    started_at: datetime | None
    ended_at: datetime | None
    unpaid_since: datetime | None = Field(description="Since when a card is tried in vain.")
    archived_jobs: int = Field(description="Jobs whose results are in the archive.")
    dated_jobs: int = Field(description="Jobs whose results are to go there.")
    first_goes_at: datetime | None = Field(description="When the first of them goes.")


class PageLink(Schema):
    """Where a person goes on, in a browser."""

    model_config = shown(url="https://checkout.stripe.com/c/pay/cs_1")

    url: str


class Source(Schema):
    """Known variants that a reference brings."""

    model_config = shown(name="ClinVar", release="2024-08-05", columns=["clinvar_significance"])

    name: str
    release: str = Field(description="Its release or date, as its makers call it.")
    columns: list[str] = Field(description="What it fills in, by the names of the VCF's fields.")


class Bundle(Schema):
    """A reference that jobs can choose by its name."""

    model_config = shown(**_BUNDLE)

    name: str = Field(description="What a job takes as `bundle`.")
    id: str = Field(description="What provenance calls it.")
    assembly: str
    genes: str = Field(description="Where its genes come from, and of which release.")
    contigs: int = Field(description="How many sequences it has.")
    is_default: bool = Field(description="Whether a job takes it that names none and fits it.")
    vep_cache: int | None = Field(description="Release of Ensembl, of one with a VEP cache.")
    sources: list[Source]


class BundleList(Schema):
    """The installed references, the usual one first."""

    model_config = shown(items=[_BUNDLE])

    items: list[Bundle]
