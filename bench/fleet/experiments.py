"""What is tried: each group of `deploy.scaling` at each volume, and other metrics and targets."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bench.fleet import tracking, workload
from bench.fleet.simulation import Fleet, Outcome, Simulation
from bench.fleet.workload import Arrival
from bench.tariff import HOURS, TARIFF
from deploy.scaling import BOOT_SECONDS, GOALS_OF_PLANS, WARM_UP_SECONDS, Backlog, Group

#: Jobs a day.
VOLUMES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)

#: Few jobs are watched for so many days, that a percentile means something.
MOST_DAYS, ENOUGH = 60, 3_000

#: Each candidate must keep the goals on days of all these seeds.
SEEDS = (1, 2, 3, 4)

#: Messages of a job for the groups that do short work, and how long each takes on average: copies
#: of four files within S3, calls of webhooks, a mail with a message for the next step beside it.
PER_JOB = {"copies": (0.75, 3.0), "deliver": (0.3, 1.0), "short": (1.2, 0.3)}

METRICS = {
    Backlog.WAITING: tracking.waiting,
    Backlog.DEMAND: tracking.demand,
    "rows": tracking.rows,
}

#: Targets that are tried, by group.
TARGETS: dict[str, tuple[int, ...]] = {
    "annotate": (2, 3, 4, 6, 8),
    "copies": (4, 25, 100),
    "deliver": (4, 25, 100),
    "short": (4, 25, 100),
}


@dataclass(frozen=True)
class Trial:
    """One group as it might be, at a volume, on the days of a seed."""

    group: Group
    a_day: int
    metric: str = ""  # else the group's own
    seed: int = 1
    boot: float = BOOT_SECONDS
    most_days: int = MOST_DAYS

    @property
    def days(self) -> int:
        """How long it is watched."""
        return max(1, min(self.most_days, ENOUGH // self.a_day))

    def arrivals(self) -> Iterator[Arrival]:
        """What arrives for the group."""
        if self.group.name not in PER_JOB:
            return workload.annotations(self.a_day, days=self.days, seed=self.seed)
        each, seconds = PER_JOB[self.group.name]
        number = max(1, round(self.a_day * each))
        return workload.messages(number, seconds=seconds, days=self.days, seed=self.seed)

    def run(self) -> Outcome:
        """Simulate it."""
        group = self.group
        policy = tracking.Tracking(
            METRICS[self.metric or group.backlog], group.target, group.minimum, group.most_large
        )
        fleet = Fleet(group.processes, self.boot, WARM_UP_SECONDS)
        caps = workload.RUNNING if group.name == "annotate" else None
        return Simulation(fleet, policy, caps=caps, seed=self.seed).run(self.arrivals())


@dataclass(frozen=True)
class Figures:
    """What matters of one outcome, or the worst of several; times in seconds."""

    wait: float  # from its turn to a worker, 95 of 100
    of_plans: dict[str, float]  # from handing in to a worker, 95 of 100, by plan
    machines: int
    dollars: float  # a month
    used: float  # part of the time that processes were at work
    interrupted: float  # tasks a day in hand of machines that were scaled in

    def keeps(self, group: Group) -> bool:
        """Whether the goals of the group, and of the plans, are kept."""
        plans = all(self.of_plans[plan] <= most for plan, most in GOALS_OF_PLANS.items())
        return self.wait <= group.goal and (plans or group.name != "annotate")


def figures(trial: Trial) -> Figures:
    """Run a trial and read what matters."""
    out, group = trial.run(), trial.group
    hours = out.machine_seconds / 3600
    return Figures(
        wait=out.p95(),
        of_plans={plan: out.p95(out.whole[plan]) for plan in GOALS_OF_PLANS},
        machines=out.most_machines,
        dollars=hours / (24 * trial.days) * HOURS * TARIFF.machine_hour[group.machine],
        used=out.worked / group.processes / (out.machine_seconds or 1),
        interrupted=out.interrupted / trial.days,
    )


def worst(trial: Trial, seeds: tuple[int, ...] = SEEDS) -> Figures:
    """The worst waits of several seeds, and the means of what they cost."""
    all_of_them = [figures(replace(trial, seed=seed)) for seed in seeds]
    count = len(all_of_them)
    return Figures(
        wait=max(one.wait for one in all_of_them),
        of_plans={p: max(one.of_plans[p] for one in all_of_them) for p in GOALS_OF_PLANS},
        machines=max(one.machines for one in all_of_them),
        dollars=sum(one.dollars for one in all_of_them) / count,
        used=sum(one.used for one in all_of_them) / count,
        interrupted=sum(one.interrupted for one in all_of_them) / count,
    )
