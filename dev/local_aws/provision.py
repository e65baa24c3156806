"""Makes queues, buckets and the mail sender on a local AWS, from the tables production uses."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import TYPE_CHECKING, Protocol

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

#: Seconds for which SQS keeps a message: 14 days, its most.
RETENTION = 1_209_600

#: Seconds for which an empty receive waits.
LONG_POLL = 15


class QueueRow(Protocol):
    """A row of the table of queues (`celeryconfig.QUEUES`)."""

    @property
    def queue_name(self) -> str:
        """The queue's name at AWS."""

    @property
    def dead_letter_name(self) -> str:
        """Its dead-letter queue's name at AWS."""

    @property
    def visibility_timeout(self) -> int:
        """Seconds for which a received message stays hidden."""

    @property
    def max_receives(self) -> int:
        """Deliveries after which a message becomes a dead letter."""


@dataclass(frozen=True)
class Provisioner:
    """Makes what is missing and corrects what differs; calling it twice changes nothing."""

    endpoint: str
    region: str
    key_id: str
    secret: str

    def queues(self, rows: Iterable[QueueRow]) -> None:
        """Make each queue and its dead-letter queue."""
        sqs = self._session().client("sqs", endpoint_url=self.endpoint)
        for row in rows:
            dead = _queue(sqs, row.dead_letter_name, {})
            redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": str(row.max_receives)}
            attributes: dict[QueueAttributeNameType, str] = {
                "VisibilityTimeout": str(row.visibility_timeout),
                "ReceiveMessageWaitTimeSeconds": str(LONG_POLL),
                "RedrivePolicy": json.dumps(redrive),
            }
            _queue(sqs, row.queue_name, attributes)

    def buckets(self, names: Mapping[str, str], *, origin: str) -> None:
        """Make each bucket, private; `inputs` takes uploads from pages of `origin`."""
        s3 = self._session().client("s3", endpoint_url=self.endpoint)
        for name in names.values():
            s3.create_bucket(Bucket=name)
            s3.put_public_access_block(
                Bucket=name,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
        s3.put_bucket_cors(
            Bucket=names["inputs"],
            CORSConfiguration={
                "CORSRules": [
                    {
                        "AllowedOrigins": [origin],
                        "AllowedMethods": ["POST", "PUT"],
                        "AllowedHeaders": ["*"],
                        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256"],
                    }
                ]
            },
        )

    def sender(self, address: str) -> None:
        """Let mail be sent from an address such as `GAS <no-reply@example.org>`."""
        ses = self._session().client("sesv2", endpoint_url=self.endpoint)
        ses.create_email_identity(EmailIdentity=parseaddr(address)[1])

    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(self.key_id, self.secret, region_name=self.region)


def _queue(sqs: "SQSClient", name: str, attributes: "Mapping[QueueAttributeNameType, str]") -> str:
    """Make or correct one queue and return its ARN."""
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"MessageRetentionPeriod": str(RETENTION), **attributes}
    )
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
