"""One group of workers through some days, event by event: messages, turns, machines, drains."""

import heapq
import math
import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count

from bench.fleet.tracking import MINUTE, Datapoint, Tracking
from bench.fleet.workload import Arrival


class Kind(IntEnum):
    """What happens; of things that happen at once, in this order."""

    END = 0  # of a job
    SERVICE = 1  # a machine has booted
    MINUTE = 2


@dataclass(eq=False)
class Machine:
    """One machine, from its launch to the end of its drain."""

    launched_at: float
    busy: int = 0
    in_service: bool = False
    draining: bool = False


@dataclass(frozen=True)
class Fleet:
    """What a group is made of; times in seconds."""

    processes: int
    boot: float
    warm_up: float = 0.0


@dataclass
class Outcome:
    """What came out of it."""

    waits: list[float] = field(default_factory=list)  # from a job's turn to its beginning
    by_plan: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    whole: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # from arrival
    machine_seconds: float = 0.0
    worked: float = 0.0  # process-seconds
    most_machines: int = 0
    drained_busy: int = 0  # machines that were scaled in with work in hand
    interrupted: int = 0  # jobs that this would have cut short without a drain
    minutes: list[tuple[int, int, int]] = field(default_factory=list)  # visible, in flight, ours

    def p95(self, waits: list[float] | None = None) -> float:
        """The wait that 95 of 100 stay below, in seconds."""
        return percentile(self.waits if waits is None else waits, 0.95)


def percentile(values: list[float], part: float) -> float:
    """The smallest value that so much of them does not exceed; 0 of none."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)] if values else 0.0


class Simulation:
    """Runs a group; `caps` says how many jobs of one owner are sent for at once, by plan."""

    def __init__(
        self,
        fleet: Fleet,
        tracking: Tracking,
        *,
        caps: Mapping[str, int] | None = None,
        seed: int = 1,
    ) -> None:
        self.fleet, self.tracking, self.caps = fleet, tracking, caps or {}
        self.outcome = Outcome()
        self._dice, self._order = random.Random(seed), count()
        self._events: list[tuple[float, int, int, object]] = []
        self._visible: deque[tuple[float, Arrival]] = deque()  # since when, and what
        self._held: dict[int, deque[Arrival]] = {}  # rows whose turn has not come, by owner
        self._on_their_way: Counter[int] = Counter()
        self._rows = self._in_flight = self._desired = 0
        self._machines: list[Machine] = []
        self._free: deque[Machine] = deque()  # one entry for each idle process
        self._last_launch = -1e9

    def run(self, arrivals: Iterable[Arrival]) -> Outcome:
        """Let everything arrive and end; what is left of the last day is worked off."""
        self._launch(self.tracking.minimum, 0.0, ready=True)
        self._push(0.0, Kind.MINUTE, None)
        coming = iter(arrivals)
        arrival = next(coming, None)
        while arrival or self._rows or self._in_flight or self._visible:
            if arrival and arrival.at < self._events[0][0]:
                self._arrive(arrival)
                arrival = next(coming, None)
            else:
                now = self._step()
        for machine in self._machines:
            self.outcome.machine_seconds += now - machine.launched_at
        return self.outcome

    def _step(self) -> float:
        now, kind, _, subject = heapq.heappop(self._events)
        if kind == Kind.MINUTE:
            self._decide(now)
            self._push(now + MINUTE, Kind.MINUTE, None)
        elif isinstance(subject, Machine):
            self._serve(subject, now)
        elif isinstance(subject, tuple):
            machine, job = subject
            self._end(machine, job, now)
        return now

    def _push(self, at: float, kind: Kind, subject: object) -> None:
        heapq.heappush(self._events, (at, kind, next(self._order), subject))

    def _arrive(self, job: Arrival) -> None:
        if self._on_their_way[job.owner] < self.caps.get(job.plan, 1 << 30):
            self._send(job, job.at)
        else:
            self._rows += 1
            self._held.setdefault(job.owner, deque()).append(job)

    def _send(self, job: Arrival, now: float) -> None:
        self._on_their_way[job.owner] += 1
        self._visible.append((now, job))
        self._take(now)

    def _take(self, now: float) -> None:
        """Give messages to idle processes, as long as there are both."""
        while self._visible and self._free:
            machine = self._free.popleft()
            if machine.draining:
                continue
            since, job = self._visible.popleft()
            self._note(job, now - since, now - job.at)
            machine.busy += 1
            self._in_flight += 1
            self._push(now + job.seconds, Kind.END, (machine, job))

    def _note(self, job: Arrival, wait: float, whole: float) -> None:
        self.outcome.waits.append(wait)
        self.outcome.by_plan[job.plan].append(wait)
        self.outcome.whole[job.plan].append(whole)
        self.outcome.worked += job.seconds

    def _end(self, machine: Machine, job: Arrival, now: float) -> None:
        machine.busy -= 1
        self._in_flight -= 1
        self._on_their_way[job.owner] -= 1
        if machine.draining:
            self._leave(machine, now)
        else:
            self._free.append(machine)
        if held := self._held.get(job.owner):
            self._rows -= 1
            self._send(held.popleft(), now)
        else:
            self._held.pop(job.owner, None)
        self._take(now)

    def _serve(self, machine: Machine, now: float) -> None:
        if machine in self._machines and not machine.draining:
            machine.in_service = True
            self._free.extend([machine] * self.fleet.processes)
            self._take(now)

    def _decide(self, now: float) -> None:
        """A minute of CloudWatch, and what the group makes of it."""
        in_service = sum(machine.in_service for machine in self._living())
        point = Datapoint(len(self._visible), self._in_flight, self._rows, in_service)
        self.outcome.minutes.append((point.visible, point.in_flight, len(self._machines)))
        warming = now - self._last_launch < self.fleet.warm_up
        wanted = self.tracking.wanted(point, desired=self._desired, warming=warming)
        if wanted > self._desired:
            self._launch(wanted - self._desired, now)
        for _ in range(self._desired - wanted):
            self._scale_in(now)

    def _living(self) -> Iterator[Machine]:
        return (machine for machine in self._machines if not machine.draining)

    def _launch(self, number: int, now: float, *, ready: bool = False) -> None:
        for _ in range(number):
            machine = Machine(now)
            self._machines.append(machine)
            self._push(now + (0.0 if ready else self.fleet.boot), Kind.SERVICE, machine)
        self._desired += number
        if number and not ready:
            self._last_launch = now
        self.outcome.most_machines = max(self.outcome.most_machines, len(self._machines))

    def _scale_in(self, now: float) -> None:
        """AWS knows nothing of our jobs: any machine may be the one that goes."""
        machine = self._dice.choice(list(self._living()))
        self._desired -= 1
        machine.draining = True
        self.outcome.drained_busy += bool(machine.busy)
        self.outcome.interrupted += machine.busy
        self._leave(machine, now)

    def _leave(self, machine: Machine, now: float) -> None:
        """A machine that drains stays until its last job has ended."""
        if machine.busy == 0:
            self._machines.remove(machine)
            self.outcome.machine_seconds += now - machine.launched_at
