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
    machine: str
    processes: int  # of Celery on one machine
    backlog: Backlog
    target: float
    goal: float
    minimum: int = 1
    most_small: int = 2
    most_large: int = 10

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
            backlog=Backlog.DEMAND,
            target=2.0,
            goal=600,
            minimum=0,
            most_small=10,
            most_large=300,
        ),
        Group(
            "copies",
            ("archive", "restore"),
            machine="t3.small",
            processes=4,
            backlog=Backlog.DEMAND,
            target=8.0,
            goal=1800,
            minimum=0,
            most_small=2,
            most_large=40,
        ),
        Group(
            "deliver",
            ("deliver",),
            machine="t3.small",
            processes=4,
            backlog=Backlog.DEMAND,
            target=8.0,
            goal=600,
            minimum=0,
            most_small=2,
            most_large=40,
        ),
        Group(
            "short",
            ("notify", "thaw", "sweep", "reconcile"),
            machine="t3.small",
            processes=4,
            backlog=Backlog.DEMAND,
            target=4.0,
            goal=60,
            minimum=1,
            most_small=2,
            most_large=10,
        ),
    )
}

#: Seconds from the launch of a machine until its workers take messages: it boots from an image of
#: its own that holds the release, reads its secrets and starts Celery.
BOOT_SECONDS = 150

#: Seconds in which a new machine is not yet counted, so that one backlog is answered once.
WARM_UP_SECONDS = 180
