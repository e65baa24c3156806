"""The only user of boto3: one client per process and service, with its time-outs and retries.

Endpoint, credentials and region are the standard AWS environment's, which botocore reads itself.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import boto3
from botocore.config import Config
from django.conf import settings

from gas import env, metrics
from gas.storage import patience

if TYPE_CHECKING:
    from mypy_boto3_glacier import GlacierClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


class AutoScalingClient(Protocol):
    """What we ask of Auto Scaling."""

    def record_lifecycle_action_heartbeat(self, **request: str) -> object:
        """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html"""

    def complete_lifecycle_action(self, **request: str) -> object:
        """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html"""


class TopicClient(Protocol):
    """What we ask of SNS."""

    def publish_batch(self, **request: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""


Addressing = Literal["auto", "path", "virtual"]

#: Tries of a call in all. A task that meets `StorageUnavailable` comes back later by itself.
ATTEMPTS = 3


#: Seconds for one answer: the copy of a large object takes its time.
SECONDS = 60.0
#: SQS answers soon.
SQS_SECONDS = 10.0


def _config(attempts: int, seconds: float) -> Config:
    return Config(
        region_name=settings.AWS_REGION,
        connect_timeout=min(5.0, seconds),
        read_timeout=seconds,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        s3={"addressing_style": cast("Addressing", settings.AWS_S3_ADDRESSING)},
    )


@cache
def s3(attempts: int = ATTEMPTS, seconds: float = SECONDS) -> "S3Client":
    """Return this process's S3 client; `attempts=1` never repeats a call."""
    config = _config(attempts, seconds).merge(Config(signature_version="s3v4"))
    # A session of its own: creating clients from boto3's default one is not thread-safe.
    return boto3.session.Session().client("s3", config=config)


@cache
def glacier(attempts: int = ATTEMPTS) -> "GlacierClient":
    """Return this process's client of the Glacier vaults; `attempts=1` never repeats a call."""
    return boto3.session.Session().client("glacier", config=_config(attempts, SECONDS))


@cache
def sqs(attempts: int = ATTEMPTS, seconds: float = SQS_SECONDS) -> "SQSClient":
    """Return this process's SQS client; it does not poll for long."""
    client = boto3.session.Session().client("sqs", config=_config(attempts, seconds))
    count_calls(client)
    return client


def secrets_manager() -> Any:
    """Return a client of Secrets Manager; settings need secrets themselves, so it needs none."""
    config = Config(
        region_name=env.text("AWS_DEFAULT_REGION"),
        connect_timeout=5.0,
        read_timeout=SQS_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    return boto3.session.Session().client("secretsmanager", config=config)


def _quick(service: str) -> Any:
    """Return a client of a service that answers soon, and whose stubs we do not install."""
    session: Any = boto3.session.Session()
    return session.client(service, config=_config(ATTEMPTS, SQS_SECONDS))


@cache
def autoscaling() -> AutoScalingClient:
    """Return this process's client of Auto Scaling."""
    return cast("AutoScalingClient", _quick("autoscaling"))


@cache
def sns() -> TopicClient:
    """Return this process's client of SNS."""
    return cast("TopicClient", _quick("sns"))


def count_calls(client: "SQSClient") -> None:
    """Count each request of a client to SQS, and those that fail: they are what SQS costs."""
    client.meta.events.register("response-received.sqs", _count_call)


def _count_call(event_name: str, response_dict: Any, exception: Any, **_: Any) -> None:
    action = event_name.rpartition(".")[2]
    metrics.sqs_calls.add(metrics.SQS_REQUESTS, action=action)
    if exception or response_dict["status_code"] >= 400:
        metrics.sqs_calls.add(metrics.SQS_ERRORS, action=action)


def forget() -> None:
    """Drop the clients; the next call makes new ones, reading the AWS environment anew."""
    for client in (s3, glacier, sqs, autoscaling, sns):
        client.cache_clear()


# A child that shared its parent's connections would read its parent's answers.
os.register_at_fork(after_in_child=forget)
patience.install()
