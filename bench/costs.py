"""`python -m bench.costs [--write]`: what the service costs a month, idle and with jobs.

Nothing of it is counted by hand: machines, alarms and the rest are read from the templates, hours
of workers come from the simulation of `bench.scaling`, requests from the formulas by which staff
see what a job costs, idle requests from the tables of queues and metrics. `--write` fills
docs/costs.md.
"""

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from bench import blocks
from bench.configured import READY
from bench.fleet import workload
from bench.fleet.experiments import Trial, figures
from bench.standing import ZONES, Standing
from bench.tariff import HOURS, TARIFF
from celeryconfig import LONG_POLL, QUEUES, SWEEP_EVERY
from deploy.scaling import GROUPS, Group
from gas import prices
from gas.metrics import METRICS
from gas.models import ResultFile
from gas.services.costs import Doings, Stay, cost_of

PAGE = Path(__file__).resolve().parent.parent / "docs/costs.md"

#: Profile and jobs a month.
COLUMNS = (("small", 0), ("small", 1_000), ("small", 100_000), ("large", 0), ("large", 100_000))

SECONDS = HOURS * 3600

#: Days for which few jobs are simulated: enough for a mean.
MOST_DAYS = 15
DAYS = HOURS / 24

#: Bytes of a compressed variant in an upload and in all results, of which so much is archived.
INPUT_BYTES, RESULT_BYTES, SMALL_BYTES = 30, 70, 50_000

#: Jobs of the free plan, whose results are archived on the day they are made.
FREE = 0.7
#: Mails, calls of webhooks and events of a job.
MAILS, CALLS, EVENTS = 1.1, 0.3, 6

#: Lines of the log that a job makes, with those of its requests and metrics; bytes of a line.
LINES, LINE = 60, 600
#: Reads of a page's data for each job, in units of the balancer an hour: next to nothing.
UNITS_OF_A_JOB = 0.0002

#: How many values a dimension of a metric takes in a service at work.
VALUES = {"Queue": len(QUEUES), "Task": len(QUEUES), "Status": 5, "Area": 5, "Outcome": 5}
USUAL_VALUES = {"State": 3, "Part": 3, "Action": 5}
#: What a service without a job tells of: queues, what is due, sweeps, health.
IDLE = ("QueueDepth", "QueueInFlight", "DeadLetters", "OldestDue", "SqsRequests")


@dataclass(frozen=True)
class Month:
    """One column: a profile, and the jobs of a month."""

    profile: str
    jobs: int

    @property
    def standing(self) -> Standing:
        """The stack."""
        return Standing(self.profile)

    @property
    def a_day(self) -> int:
        """Jobs of a day, one at least when there are any."""
        return math.ceil(self.jobs / DAYS)

    def bill(self) -> dict[str, float]:
        """Dollars by what they are for."""
        return {**self.machines(), **self.around(), **self.watching(), **self.asking()}

    def machines(self) -> dict[str, float]:
        """The site, beat, workers by the simulation, their disks and addresses."""
        stack, running = self.standing, self.running()
        hours = {tier: count * HOURS for tier, count in running.items()}
        kinds = {tier: str(stack.tier(tier)["Machine"]) for tier in running}
        price = TARIFF.machine_hour
        disks = sum(stack.disk(tier) * count for tier, count in running.items())
        own = sum(hours.values()) if stack.addresses else 0
        return {
            "site": hours["Web"] * price[kinds["Web"]],
            "beat": hours["Beat"] * price[kinds["Beat"]],
            "workers": sum(hours[name.title()] * price[kinds[name.title()]] for name in GROUPS),
            "disks of machines": disks * TARIFF.disk_gb_month,
            "public addresses": (own + (ZONES + self.gateways) * HOURS) * TARIFF.address_hour,
        }

    def running(self) -> dict[str, float]:
        """Machines of each tier, in the mean of a month."""
        mean = {"Web": float(self.standing.tier("Web")["Least"]), "Beat": 1.0}
        for name, group in GROUPS.items():
            busy = machines_of(group, self.a_day) if self.jobs else 0.0
            mean[name.title()] = max(float(group.minimum), busy)
        return mean

    @property
    def gateways(self) -> int:
        """NAT gateways."""
        return self.standing.kinds["AWS::EC2::NatGateway"]

    def around(self) -> dict[str, float]:
        """Database, balancer and network."""
        sizes, kinds = self.standing.sizes, self.standing.kinds
        copies = 2 if sizes["DatabaseTwice"] == "true" else 1
        hour = TARIFF.database_hour[sizes["DatabaseClass"]] * HOURS
        disk = sizes["DatabaseStorage"] * TARIFF.database_gb_month
        balancers = kinds["AWS::ElasticLoadBalancingV2::LoadBalancer"]
        units = self.jobs / HOURS * UNITS_OF_A_JOB
        return {
            "database": copies * (hour + disk),
            "load balancer": balancers
            * HOURS
            * (TARIFF.balancer_hour + units * TARIFF.balancer_unit_hour),
            "NAT": self.gateways * HOURS * TARIFF.nat_hour,
        }

    def watching(self) -> dict[str, float]:
        """Logs, metrics, alarms, keys and secrets."""
        kinds = self.standing.kinds
        logged = (self.lines() * LINE) / prices.GB
        return {
            "logs": logged * (TARIFF.log_gb + 3 * TARIFF.log_gb_month),  # kept for three months
            "metrics": self.series() * TARIFF.metric_month,
            "alarms": kinds["AWS::CloudWatch::Alarm"] * TARIFF.alarm_metric_month,
            "dashboard": kinds["AWS::CloudWatch::Dashboard"] * TARIFF.dashboard_month,
            "keys and secrets": kinds["AWS::KMS::Key"] * TARIFF.key_month
            + kinds["AWS::SecretsManager::Secret"] * TARIFF.secret_month,
        }

    def lines(self) -> float:
        """Lines of the log: of each sweep a few and one for each queue and state, and of jobs."""
        of_a_sweep = 2 + len(QUEUES) + VALUES["Status"]
        return SECONDS / SWEEP_EVERY.total_seconds() * of_a_sweep + LINES * self.jobs

    def series(self) -> int:
        """Series of metrics: one for each set of values of a metric's dimensions."""
        values: Mapping[str, int] = VALUES | USUAL_VALUES
        told = [one for one in METRICS if self.jobs or one.name in IDLE]
        return sum(math.prod(values[name] for name in one.dimensions) for one in told)

    def asking(self) -> dict[str, float]:
        """What jobs and idle workers ask of AWS, and what keeping a month's jobs costs."""
        archived, kept = self.job(archives=True), self.job(archives=False)
        parts = {
            name: self.jobs * (FREE * getattr(archived, name) + (1 - FREE) * getattr(kept, name))
            for name in ("storage", "archive", "requests", "messages")
        }
        idle = self.idle_requests() / 1e6 * prices.PRICES.sqs_million
        return {
            "S3, a month of this month's files": parts["storage"] + parts["archive"],
            "S3 requests": parts["requests"],
            "SQS": parts["messages"] + idle + prices.messages(round(self.jobs * CALLS)),
            "mails": self.jobs * MAILS / 1000 * TARIFF.mail_thousand,
            "job events": self.jobs * EVENTS / 1e6 * TARIFF.topic_million,
        }

    def job(self, *, archives: bool) -> prices.Cost:
        """What the mean job of a plan costs in its first month, as staff see it."""
        variants = mean_variants()
        whole = (Stay(archived=archives, span=prices.MONTH, is_over=False),)
        short = (Stay(archived=False, span=timedelta(minutes=5), is_over=True),)
        return cost_of(
            Doings(
                input_bytes=round(variants * INPUT_BYTES),
                input_span=prices.MONTH,
                input_parts=2 + math.ceil(variants * INPUT_BYTES / 2**24),
                small_bytes=SMALL_BYTES,
                small_files=len(ResultFile.NAMES) - len(ResultFile.ARCHIVED_KINDS),
                large_bytes=round(variants * RESULT_BYTES),
                large_files=len(ResultFile.ARCHIVED_KINDS),
                stays=short + whole if archives else whole,
                retrievals=(),
                returns=0,
                claims=2 if archives else 1,
                mails=round(MAILS),
            )
        )

    def idle_requests(self) -> float:
        """Requests to SQS of waiting workers and of sweeps, in a month.

        Each machine asks each of its queues once in a long poll; each sweep asks all queues how
        deep they are, and all dead-letter queues for a message.
        """
        running = self.running()
        polls = sum(
            running[group.name.title()] * len(group.queues) for group in GROUPS.values()
        ) * (SECONDS / LONG_POLL)
        of_a_sweep = 3 * len(QUEUES) + prices.REQUESTS_OF_A_MESSAGE
        return polls + SECONDS / SWEEP_EVERY.total_seconds() * of_a_sweep


@cache
def machines_of(group: Group, a_day: int) -> float:
    """Machines of a group in the mean of the simulated days."""
    hour = TARIFF.machine_hour[group.machine]
    return figures(Trial(group, a_day, most_days=MOST_DAYS)).dollars / HOURS / hour


def mean_variants() -> float:
    """Variants of the mean job: of sizes spread evenly over their logarithm."""
    weights = sum(weight for *_, weight in workload.FILES)
    means = (w * (high - low) / math.log(high / low) for low, high, w in workload.FILES)
    return sum(means) / weights


def table() -> str:
    """The table of the page: dollars a month by what they are for."""
    bills = [Month(*column).bill() for column in COLUMNS]
    heads = [
        "",
        *(f"{profile}, {jobs:,} jobs" if jobs else f"{profile}, idle" for profile, jobs in COLUMNS),
    ]
    rows = [[name, *(f"{bill[name]:,.2f}" for bill in bills)] for name in bills[0]]
    total = ["**together**", *(f"**{sum(bill.values()):,.2f}**" for bill in bills)]
    each = [
        "for each job",
        *(_each(bill, jobs) for bill, (_, jobs) in zip(bills, COLUMNS, strict=True)),
    ]
    return blocks.table(heads, [*rows, total, each])


def _each(bill: Mapping[str, float], jobs: int) -> str:
    return f"{sum(bill.values()) / jobs:.4f}" if jobs else ""


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(prog="bench.costs", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/costs.md")
    if parser.parse_args().write:
        blocks.fill(PAGE, "costs", table())
    else:
        print(table())


if __name__ == "__main__" and READY:
    main()
