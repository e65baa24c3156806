"""Whether this machine is to stop working, and how long it has for that."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

#: What its group means this machine to become: everything but this means no work.
#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
WORKING = "InService"
LIFECYCLE = "autoscaling/target-lifecycle-state"

#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
SPOT = "spot/instance-action"
SPOT_SECONDS = 120.0


class Source(Protocol):
    """What is known of a machine."""

    def read(self, path: str) -> str | None:
        """Return a value; None when there is none."""


@dataclass(frozen=True)
class Order:
    """Why this machine is to stop working, and the seconds that EC2 leaves it; None: no limit."""

    reason: str
    seconds: float | None


def order(source: Source) -> Order | None:
    """What the machine is told now; None as long as it is to work."""
    spot = source.read(SPOT)
    if spot is not None:
        return Order("its spot capacity is taken back", _left(spot))
    target = source.read(LIFECYCLE)
    if target is None or target == WORKING:
        return None
    return Order(f"its group means it to be {target}", None)


def _left(notice: str) -> float:
    """Seconds until the machine is taken: never more than EC2 promises, whatever the clock says."""
    try:
        said = json.loads(notice)
        if said["action"] == "hibernate":  # which begins with the notice
            return 0.0
        moment = datetime.fromisoformat(said["time"])
        left = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, KeyError, RecursionError):
        return SPOT_SECONDS
    return min(max(left, 0.0), SPOT_SECONDS)
