"""Three messages each on their way through SQS: bare boto3, bare Celery, and our pipeline.

`python -m bench.lanes.LANE COUNT` sends so many chains of three and prints the seconds until the
last has ended; the two of Celery need a worker (`celery -A bench.lanes.LANE`).
"""

from tasks.app import app  # which sets Django up before a lane imports models

__all__ = ["app"]
