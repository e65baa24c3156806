"""`python -m dev.provision`: make the queues, buckets and mail sender on a local AWS."""

from django.conf import settings

from celeryconfig import ENDPOINT, QUEUES, THAWED
from dev.local_aws.provision import Provisioner
from dev.local_aws.server import CREDENTIALS
from gas import env


def main() -> None:
    """Make what is missing at `AWS_ENDPOINT_URL`; repeatable."""
    env.use_our_settings()
    provisioner = Provisioner(ENDPOINT, settings.AWS_REGION, *CREDENTIALS.values())
    provisioner.queues([*QUEUES.values(), THAWED])
    provisioner.buckets(settings.BUCKETS, origin=settings.BASE_URL)
    provisioner.sender(settings.DEFAULT_FROM_EMAIL)


if __name__ == "__main__":
    main()
