"""Parts of an object read on their own: what a query needs of a large file."""

from dataclasses import dataclass

from gas.storage import clients, streams
from gas.storage.errors import translated
from gas.storage.locations import Location

#: Somebody waits for the answer: two tries, and seconds for each.
ATTEMPTS, SECONDS = 2, 10.0


@dataclass(frozen=True)
class RangedObject:
    """An object of known size whose bytes are asked for by their place."""

    at: Location
    size: int

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from byte `start` on; raises ObjectMissing, StorageUnavailable."""
        if not length:
            return b""
        with translated(self.at):
            answer = clients.s3(ATTEMPTS, SECONDS).get_object(
                Bucket=self.at.bucket, Key=self.at.key, Range=f"bytes={start}-{start + length - 1}"
            )
            streams.named(self.at, answer)
            return answer["Body"].read()
