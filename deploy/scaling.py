"""The one table of worker groups: what each takes, on which machines, and when it grows.

The templates take their defaults from here (a test compares), `bench.scaling` shows that these
targets keep the waits below their goals, and `bench.costs` what the machines cost.
"""

from dataclasses import dataclass
from enum import StrEnum


class Backlog(StrEnum):
    """What a group is scaled by, for each machine of it: metric math over SQS and the group."""

    WAITING = "visible / in service"
    DEMAND = "(visible + in flight) / max(in service, 1)"


@dataclass(frozen=True)
class Group:
    """Workers that take the same queues, on machines of one kind.

    `target` is how much of `backlog` one machine is to have; `goal` the seconds below which 95 of
    100 messages are to wait for a worker.
    """

    name: str
    queues: tuple[str, ...]
    most_large: int  # machines at most, by profile
    most_small: int = 2
    machine: str = "t3.small"
    processes: int = 4  # of Celery on one machine
    target: float = 100
    goal: float = 600
    minimum: int = 0
    backlog: Backlog = Backlog.DEMAND

    @property
    def sleeps(self) -> bool:
        """Whether it has no machine while there is nothing to do, and takes a step from zero."""
        return self.minimum == 0


GROUPS = {
    group.name: group
    for group in (
        Group(
            "annotate",
            ("annotate",),
            machine="m6i.large",
            processes=2,
            target=4,
            goal=300,
            most_small=10,
            most_large=400,
        ),
        Group("copies", ("archive", "restore", "reconcile"), most_large=40),
        Group("deliver", ("deliver",), most_large=20),
        Group(
            "short",
            ("notify", "thaw", "sweep"),
            goal=60,
            minimum=1,  # it sweeps every minute
            most_large=10,
        ),
    )
}

#: Seconds below which 95 of 100 jobs begin after they were handed in, by plan: some of a
#: subscriber's stand behind hundreds of their own.
GOALS_OF_PLANS = {"free": 600, "premium": 1800}

#: Seconds from the launch of a machine until its workers take messages.
BOOT_SECONDS = 150

#: Seconds in which a new machine is not yet counted, so that one backlog is answered once.
WARM_UP_SECONDS = 180
