"""Where bytes lie: a bucket and a key, and the three buckets the service uses."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Location:
    """One object in S3, or a prefix of objects."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> "Location":
        """Read what `str()` wrote."""
        bucket, _, key = text.removeprefix("s3://").partition("/")
        return cls(bucket, key)


def inputs(key: str) -> Location:
    """Return the place of an uploaded file."""
    return Location(settings.BUCKETS["inputs"], key)


def results(key: str) -> Location:
    """Return the place of a result file that can be downloaded."""
    return Location(settings.BUCKETS["results"], key)


def archived(key: str) -> Location:
    """Return the place of a result file's archive copy."""
    return Location(settings.BUCKETS["archive"], key)
