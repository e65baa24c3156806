"""What arrives in a day: sessions of people, each with its jobs, and how long each job takes.

Everything is drawn from one seed, so that a run is the same wherever it runs.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DAY = 86_400.0

#: Of what an even day would bring, the busiest hour brings so much more.
RHYTHM = 0.8
BUSIEST_HOUR = 15.0

#: Part of the sessions that are a subscriber's, and what a plan runs at once
#: (`max_running_jobs` of `gas_plan`).
PREMIUM = 0.3
RUNNING = {"free": 2, "premium": 8}

#: Jobs of one session: how many at least and at most, and in how many of 100 sessions.
BURSTS = {"free": ((1, 1, 85), (2, 10, 15)), "premium": ((1, 1, 60), (2, 20, 35), (96, 384, 5))}

#: Files: variants at least and at most, and how many of 100 jobs: panels, exomes, genomes, cohorts.
FILES = ((100, 50_000, 55), (50_000, 300_000, 30), (3_000_000, 6_000_000, 14), (2e7, 6e7, 1))

#: A job without variants: claim, fetch, start of the child, eight files published, rows.
SECONDS_OF_A_JOB = 3.0

#: Each further million of variants, one worker of the annotation: `bench.annotate --variants
#: 5000000` took 80 s of one core, and S3 moves its 530 MiB in and as much out in some 20 s.
SECONDS_OF_A_MILLION = 20.0


@dataclass(frozen=True)
class Arrival:
    """One job: when it is handed in, whose it is, on which plan, and how long it works."""

    at: float
    owner: int
    plan: str
    seconds: float


def annotations(jobs_a_day: int, *, days: int, seed: int) -> Iterator[Arrival]:
    """Yield the annotations of some days in the order of their arrival."""
    dice = random.Random(seed)
    arrivals: list[Arrival] = []
    owner = 0
    while len(arrivals) < jobs_a_day * days:
        plan = "premium" if dice.random() < PREMIUM else "free"
        at, owner = _moment(dice, days), owner + 1
        burst = min(_burst(dice, plan), max(1, jobs_a_day // 4))
        arrivals += [Arrival(at, owner, plan, seconds_of(_variants(dice))) for _ in range(burst)]
    return iter(sorted(arrivals[: jobs_a_day * days], key=lambda one: one.at))


def messages(a_day: int, *, seconds: float, days: int, seed: int) -> Iterator[Arrival]:
    """Yield short tasks, each for itself, which take so long on average (exponential)."""
    dice = random.Random(seed)
    moments = sorted(_moment(dice, days) for _ in range(a_day * days))
    for number, at in enumerate(moments):
        yield Arrival(at, number, "any", dice.expovariate(1 / seconds))


def seconds_of(variants: float) -> float:
    """How long an annotation of so many variants takes, in seconds."""
    return SECONDS_OF_A_JOB + variants / 1e6 * SECONDS_OF_A_MILLION


def _moment(dice: random.Random, days: int) -> float:
    """A moment of some days, more often near the busiest hour (by rejection)."""
    while True:
        at = dice.random() * DAY
        angle = 2 * math.pi * (at / 3600 - BUSIEST_HOUR) / 24
        if dice.random() * (1 + RHYTHM) < 1 + RHYTHM * math.cos(angle):
            return at + DAY * int(dice.random() * days)


def _burst(dice: random.Random, plan: str) -> int:
    low, high = _row(dice, BURSTS[plan])
    return dice.randint(int(low), int(high))


def _variants(dice: random.Random) -> float:
    """Files of one kind are spread evenly over the logarithm of their size."""
    low, high = _row(dice, FILES)
    return low * math.exp(dice.random() * math.log(high / low))


def _row(dice: random.Random, table: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    low, high, _ = dice.choices(table, weights=[weight for *_, weight in table])[0]
    return low, high
