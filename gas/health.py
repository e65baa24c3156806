"""What a process needs to do its work, by name: for `/readyz` of the site and of workers."""

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from celeryconfig import QUEUES
from gas.storage import clients

#: Seconds for one answer: whoever asks has little patience.
PATIENCE = 2


def database_works() -> bool:
    """Tell whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def queue_works() -> bool:
    """Tell whether SQS knows the queue that every job begins with."""
    try:
        clients.sqs(attempts=1, seconds=PATIENCE).get_queue_attributes(
            QueueUrl=QUEUES["annotate"].url, AttributeNames=["QueueArn"]
        )
    except (BotoCoreError, ClientError):
        return False
    return True


def storage_works() -> bool:
    """Tell whether S3 lets us into the bucket of results."""
    try:
        s3 = clients.s3(attempts=1, seconds=PATIENCE)
        s3.head_bucket(Bucket=settings.BUCKETS["results"])
    except (BotoCoreError, ClientError):
        return False
    return True


#: The parts that the site cannot do without.
PARTS = {"database": database_works, "queue": queue_works, "storage": storage_works}


def failing_parts() -> list[str]:
    """The names of the parts that do not work now."""
    return [name for name, works in PARTS.items() if not works()]
