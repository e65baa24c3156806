"""`python -m bench.pipeline [--only PART]`: what the service costs beside bare Celery and SQS.

All on one local AWS and one database. Chains of three messages go in turn through bare boto3, bare
Celery (the same configuration and transport, tasks that do nothing) and our pipeline without its
work (no child, no S3, no mail); one worker with one process each. Printed are medians of ratios.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench import STEPS
from bench.annotate import held_by
from dev.children import end, spawn
from dev.database import Database
from dev.demo import SAMPLE, TIMERS
from dev.faults.proxy import Proxy
from dev.stack import ROOT, Ports, Stack
from dev.visitor import Visitor
from dev.waiting import until

WARM_UP, SOME = 3, 10
SHORT_POLL = {"GAS_LONG_POLL": "1s"}  # a worker that ended leaves a poll open, which takes one
ACTIONS = ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
_STEP_SECONDS = """
SELECT job.created_at, begun.at, job.completed_at FROM gas_job job
JOIN gas_jobevent begun ON begun.job_id = job.id AND begun.after = 'running'
"""


class Bench:
    """A local AWS and a database, without the service."""

    def __init__(self, folder: Path) -> None:
        settings = TIMERS | {"GAS_FREE_RETENTION": "0s", "GAS_LOG": "INFO"}
        if database := os.environ.get("DATABASE_URL"):
            settings["DATABASE_URL"] = database
        self.stack = Stack(folder, Ports.free(), settings)

    @contextmanager
    def started(self) -> Iterator["Bench"]:
        """Run the local AWS for the length of the block."""
        self.stack.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.stack.manage("migrate", "--verbosity=0")
            self.stack.start_aws()
            yield self
        finally:
            self.stack.stop()

    def environment(self, over: Mapping[str, str] | None) -> dict[str, str]:
        """The environment of a lane's processes."""
        return {**self.stack.environment, **(over or {})}

    def lane(self, name: str, count: int, over: Mapping[str, str] | None = None) -> float:
        """Send chains through a lane whose worker is warm; returns the seconds of one chain."""
        if name == "floor":
            return self.send(name, count, over)
        with self.worker(f"bench.lanes.{name}", over):
            self.send(name, WARM_UP, over)
            return self.send(name, count, over)

    def send(self, name: str, count: int, over: Mapping[str, str] | None = None) -> float:
        """Send chains through a lane, whose worker runs; returns the seconds of one chain."""
        command = [sys.executable, "-m", f"bench.lanes.{name}", str(count)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment(over),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return float(done.stdout.split()[-1]) / count

    @contextmanager
    def worker(self, app: str, over: Mapping[str, str] | None = None) -> Iterator[int]:
        """Run a worker of one process on the queues of a chain; yields its process id."""
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency=1"]
        queues = f"--queues={','.join(STEPS)}"
        command = [sys.executable, "-m", "celery", "-A", app, "--quiet", "worker", *quiet, queues]
        process = spawn(command, self.environment(over), self.stack.folder / f"{app}.log")
        try:
            yield process.pid
        finally:
            end(process)


def ratios(bench: Bench, *, chains: int, rounds: int) -> None:
    """Print what a chain of three costs in each lane."""
    seconds: dict[str, list[float]] = {"floor": [], "bare": [], "ours": []}
    for _ in range(rounds):
        for name, found in seconds.items():
            found.append(bench.lane(name, chains, SHORT_POLL))
    print(f"A chain of three messages, {chains} at once, one worker with one process")
    for name, found in seconds.items():
        to_bare = [mine / bare for mine, bare in zip(found, seconds["bare"], strict=True)]
        every = ", ".join(f"{ratio:.2f}" for ratio in to_bare)
        middle = statistics.median(to_bare)
        print(
            f"  {name:<8}{1000 * statistics.median(found):8.0f} ms {middle:6.2f} x bare ({every})"
        )


def requests(bench: Bench, *, chains: int) -> None:
    """Print how many requests to SQS a chain makes, counted by a proxy."""
    print(f"Requests to SQS a chain of three, {chains} at once")
    with Proxy(bench.stack.ports.aws) as proxy:
        for name in ("bare", "ours"):
            before = Counter(call.action for call in proxy.calls)
            bench.lane(name, chains, {"AWS_ENDPOINT_URL": proxy.endpoint})
            made = Counter(call.action for call in proxy.calls) - before
            each = {action: made[action] / (chains + WARM_UP) for action in ACTIONS}
            told = ", ".join(f"{action} {number:.1f}" for action, number in each.items())
            print(f"  {name:<8}{sum(each.values()):6.1f} ({told})")


def latency(folder: Path, *, jobs: int) -> None:
    """Print how long a small file takes from its submission until the page has its results."""
    settings = TIMERS | {"GAS_FREE_RETENTION": "1h"}
    with Stack(folder, Ports.free(), settings) as stack:
        Database(stack.environment["DATABASE_URL"]).change(
            f"UPDATE gas_plan SET max_active_jobs = {jobs + 1}"
        )
        visitor = Visitor(stack.site_url)
        visitor.sign_in("Free researcher")
        found = [_once(visitor) for _ in range(jobs + 1)][1:]
        print(f"Submission to results, {jobs} small files one after the other")
        _percentiles("to the page", found)
        _tell_steps(Database(stack.environment["DATABASE_URL"]))


def _once(visitor: Visitor) -> float:
    ready = visitor.upload(SAMPLE).form(to="/submit/")
    began = time.perf_counter()
    job = visitor.submit(ready)

    def done() -> bool:
        return visitor.open(urlsplit(job.url).path).facts.get("data-status") == "completed"

    until(done, "results")
    return time.perf_counter() - began


def _tell_steps(database: Database) -> None:
    rows = database.rows(_STEP_SECONDS)[1:]
    for label, first, last in (("in the queue", 0, 1), ("annotating", 1, 2)):
        _percentiles(label, [Database.seconds_between(row[first], row[last]) for row in rows])


def _percentiles(label: str, seconds: list[float]) -> None:
    p50, p99 = (
        statistics.median(seconds),
        statistics.quantiles(seconds, n=100, method="inclusive")[98],
    )
    print(f"  {label:<14} p50 {p50:5.2f} s   p99 {p99:5.2f} s")


def memory(bench: Bench, *, waiting: int) -> None:
    """Print what a worker holds while no archiving waits, and while very many do."""
    print("Memory of a worker and its processes (proportional set size)")
    with bench.worker("bench.lanes.ours") as pid:
        bench.send("ours", SOME)
        print(f"  {0:>9,} waiting {held_by(pid):7.1f} MB")
        bench.stack.run("bench.lanes.waiting", str(waiting))
        bench.send("ours", SOME)
        print(f"  {waiting:>9,} waiting {held_by(pid):7.1f} MB")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="bench.pipeline", description=__doc__)
    parser.add_argument("--only", choices=["ratios", "requests", "latency", "memory"])
    parser.add_argument("--chains", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=30)
    parser.add_argument("--waiting", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gas-bench-") as folder:
        with Bench(Path(folder, "lanes")).started() as bench:
            if options.only in (None, "ratios"):
                ratios(bench, chains=options.chains, rounds=options.rounds)
            if options.only in (None, "requests"):
                requests(bench, chains=options.chains)
            if options.only in (None, "memory"):
                memory(bench, waiting=options.waiting)
        if options.only in (None, "latency"):
            latency(Path(folder, "stack"), jobs=options.jobs)


if __name__ == "__main__":
    main()
