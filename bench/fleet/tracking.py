"""How AWS decides: metrics of a minute that come late, target tracking, and a step from zero.

Target tracking keeps two alarms. The high one wants 3 datapoints above the target, and then asks
for as many machines as bring the metric to it; the low one wants 15 below nine tenths of it, and
takes machines away little by little. Machines that warm up count as being there.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MINUTE = 60.0

#: Datapoints above the target before a group grows, and below it before it shrinks.
HIGH, LOW = 3, 15
#: What counts as below: so much of the target.
SLACK = 0.9
#: Of the machines, so many go in one minute, but one at least.
GENTLY = 0.1

#: Minutes until a datapoint of SQS is to be had in CloudWatch.
LATE = 1


@dataclass(frozen=True)
class Datapoint:
    """What CloudWatch knows of one minute: messages, rows that wait, machines in service."""

    visible: int
    in_flight: int
    queued: int
    in_service: int


Metric = Callable[[Datapoint], float | None]


def waiting(point: Datapoint) -> float | None:
    """`visible / in service`; no datapoint without a machine."""
    return point.visible / point.in_service if point.in_service else None


def demand(point: Datapoint) -> float | None:
    """`(visible + in flight) / max(in service, 1)`."""
    return (point.visible + point.in_flight) / max(point.in_service, 1)


def rows(point: Datapoint) -> float | None:
    """Jobs that wait or run in the database, their owners' turn or not, for each machine."""
    return (point.queued + point.in_flight) / max(point.in_service, 1)


@dataclass
class Tracking:
    """One group's policy: target tracking between two bounds, and a step alarm at zero."""

    metric: Metric
    target: float
    minimum: int
    most: int
    seen: deque[Datapoint] = field(default_factory=lambda: deque(maxlen=LOW + LATE))

    def wanted(self, now: Datapoint, *, desired: int, warming: bool) -> int:
        """How many machines the group is to have, after one more minute."""
        self.seen.append(now)
        known = list(self.seen)[:-LATE] if LATE else list(self.seen)
        if not known:
            return desired
        if desired == 0:
            return min(self.most, 1 if known[-1].visible else 0)
        return max(self.minimum, min(self.most, self._tracked(known, desired, warming=warming)))

    def _tracked(self, known: list[Datapoint], desired: int, *, warming: bool) -> int:
        values = [self.metric(point) for point in known]
        if self._all(values[-HIGH:], HIGH, lambda value: value > self.target):
            return max(desired, self._fitting(known[-1]))
        low = self._all(values[-LOW:], LOW, lambda value: value < SLACK * self.target)
        if low and not warming:
            gently = desired - max(1, math.floor(GENTLY * desired))
            return max(gently, min(desired, self._fitting(known[-1])))
        return desired

    def _fitting(self, point: Datapoint) -> int:
        """As many machines as bring this minute's metric to the target."""
        value = self.metric(point) or 0.0
        return math.ceil(max(point.in_service, 1) * value / self.target)

    @staticmethod
    def _all(values: list[float | None], count: int, test: Callable[[float], bool]) -> bool:
        return len(values) == count and all(value is not None and test(value) for value in values)
