"""`python -m bench.web [--jobs N]`: how the pages fare with 1,000 and with 1,000,000 jobs.

On a PostgreSQL of its own. Printed are the queries and the time of each page, the quickest of many
taken in turns on the large database and on the small one, and their ratio, which is to be as flat
for staff, who may ask more; then requests a second and the 95th percentile of the site on the large
one, with several people at once on this machine.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

import psycopg

from dev.children import HOST, end, free_port, spawn, wait_for
from dev.postgres import Postgres, running
from dev.stack import ROOT, Ports, Stack

SMALL = 1000
WARM_UP = 3  # seconds
MOST_QUERIES, MOST_RATIO, LEAST_RATE, MOST_P95 = 6, 1.2, 100, 300

#: Pages of the list, by what somebody looks at; each has as many rows on both databases.
LISTS = {
    "jobs": "/jobs/",
    "an older page": "/jobs/?before={archived}",
    "one kind": "/jobs/?show=ready",
    "a kind of two states": "/jobs/?show=archived",
    "common words": "/jobs/?q=trio",
    "words that are nowhere": "/jobs/?q=quartet",
    "a day": "/jobs/?since=2026-01-01&until=2026-01-01",
    "all of it": "/jobs/?show=archived&q=trio&since=2026-01-01&until=2026-12-31",
}

#: Pages of staff, likewise.
STAFF = {
    "staff: start": "/admin/",
    "staff: jobs": "/admin/gas/job/",
    "staff: failed jobs": "/admin/gas/job/?status__exact=failed",
    "staff: jobs in trouble": "/admin/gas/job/?trouble=any",
    "staff: old jobs": "/admin/gas/job/?age=older",
    "staff: jobs of one": "/admin/gas/job/?owner__id__exact={owner}",
    "staff: common words": "/admin/gas/job/?q=trio",
    "staff: words nowhere": "/admin/gas/job/?q=quartet",
    "staff: a job": "/admin/gas/job/{archived}/change/",
    "staff: events": "/admin/gas/jobevent/",
    "staff: uploads": "/admin/gas/upload/",
    "staff: accounts": "/admin/gas/user/",
    "staff: an account": "/admin/gas/user/{owner}/change/",
    "operations": "/admin/operations/",
    "costs of an account": "/admin/operations/costs/{owner}/",
}


class Pages:
    """A process that times pages on one database."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.pages"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: str) -> str:
        """Send a line and return the answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipe")
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def time(self, path: str, times: int) -> tuple[float, int]:
        """The milliseconds of a page, the quickest of several times, and its queries."""
        span, queries = self.ask(f"{path} {times}").split()
        return float(span), int(queries)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def filled(server: Postgres, name: str, jobs: int, folder: Path) -> Stack:
    """A database of so many jobs, and the environment of a site on it."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = server.url.rpartition("/")[0] + f"/{name}"
    stack = Stack(folder, Ports.free(), {"DATABASE_URL": url, "GAS_HOSTS": HOST, "GAS_LOG": "INFO"})
    stack.manage("migrate", "--verbosity=0")
    began = time.monotonic()
    stack.run("bench.crowd", str(jobs))
    print(f"{jobs:,} jobs made in {time.monotonic() - began:.0f} s", flush=True)
    return stack


def compare(small: Pages, large: Pages, *, rounds: int, times: int) -> None:
    """Print the queries of each page, its time on both, and the ratio."""
    both = [(pages, json.loads(pages.ask("jobs"))) for pages in (small, large)]
    states = both[0][1].keys() & both[1][1].keys()
    own = {f"a job, {state}": f"/jobs/{{{state}}}/" for state in sorted(states)}
    for pages, places in both:
        places["owner"] = int(pages.ask("owner"))
    print(f"\nPage{'':24}queries  small ms  large ms   ratio ({rounds} rounds of {times})")
    for name, path in (LISTS | own | STAFF).items():
        found = [
            [pages.time(path.format(**places), times) for pages, places in both]
            for _ in range(rounds)
        ]
        spans = [min(pair[side][0] for pair in found) for side in (0, 1)]
        queries = max(each[1] for pair in found for each in pair)
        ratio = spans[1] / spans[0]
        is_few = queries <= MOST_QUERIES or name in STAFF
        held = "" if ratio <= MOST_RATIO and is_few else "  beyond"
        print(f"{name:<28}{queries:>7} {spans[0]:>9.1f} {spans[1]:>9.1f} {ratio:>7.2f}{held}")


@contextmanager
def serving(stack: Stack) -> Iterator[int]:
    """Run the site as in production; yields its port."""
    port, log = free_port(), stack.folder / "site.log"
    workers = ["--workers=4", "--threads=8"]
    command = [sys.executable, "-m", "gunicorn", "gas.wsgi", f"--bind={HOST}:{port}", *workers]
    process = spawn(command, stack.environment, log)
    try:
        wait_for("site", process, lambda: _answers(port), log, seconds=60)
        yield port
    finally:
        end(process)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def crowd(port: int, session: str, paths: list[str], *, people: int, seconds: float) -> None:
    """Print what so many people at once get of the site, once each process has seen the pages."""
    _visits(port, session, paths, people=people, seconds=WARM_UP)
    spans = _visits(port, session, paths, people=people, seconds=seconds)
    rate = len(spans) / seconds
    p95 = 1000 * statistics.quantiles(spans, n=20, method="inclusive")[18]
    held = "" if rate >= LEAST_RATE and p95 <= MOST_P95 else "  beyond"
    middle = 1000 * statistics.median(spans)
    print(f"{people:>3} at once: {rate:6.0f} requests/s", end="")
    print(f"   p50 {middle:4.0f} ms   p95 {p95:4.0f} ms{held}")


def _visits(
    port: int, session: str, paths: list[str], *, people: int, seconds: float
) -> list[float]:
    """The seconds of each page that so many people at once open in this time."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(people) as pool:
        asked = [pool.submit(_visit, port, session, paths, until) for _ in range(people)]
        return [span for each in asked for span in each.result()]


def _visit(port: int, session: str, paths: list[str], until: float) -> list[float]:
    connection, spans = http.client.HTTPConnection(HOST, port, timeout=60), []
    for path in cycle(paths):
        began = time.monotonic()
        if began > until:
            break
        connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        spans.append(time.monotonic() - began)
    connection.close()
    return spans


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.web", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    with ExitStack() as done, tempfile.TemporaryDirectory(prefix="gas-bench-") as folder:
        server = done.enter_context(running())
        stacks = [
            filled(server, name, jobs, Path(folder))
            for name, jobs in (("small", SMALL), ("large", options.jobs))
        ]
        stacks[1].manage("collectstatic", "--no-input", "--verbosity=0")
        small, large = (Pages(stack.environment) for stack in stacks)
        done.callback(small.stop)
        done.callback(large.stop)
        compare(small, large, rounds=options.rounds, times=options.times)
        jobs = json.loads(large.ask("jobs"))
        lists = [path.format(**jobs) for path in LISTS.values()]
        session = large.ask("session")
        print(f"\nThe site: gunicorn, 4 workers of 8 threads, {options.jobs:,} jobs")
        with serving(stacks[1]) as port:
            for name, paths in (("jobs page", ["/jobs/"]), ("all lists", lists)):
                print(f"  {name:<10}", end="")
                crowd(port, session, paths, people=options.people, seconds=options.seconds)
        print(f"Load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
