"""`python -m dev.chaos [--jobs N] [--seed N]`: print the figures; 1 when anything is wrong."""

import argparse
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import postgres
from dev.chaos.run import Run
from dev.chaos.town import Server
from dev.chaos.verdict import Verdict
from dev.children import DidNotStart, alone_in, end_in_order
from dev.waiting import NotInTime

FOLDER = Path(__file__).resolve().parents[2] / "var" / "chaos"

#: What is counted even when there is none.
KINDS = (
    "lost",
    "stuck",
    "doubled",
    "orphans",
    "mails",
    "calls",
    "messages",
    "plans",
    "processes",
)
MOST_LINES = 20


def main() -> int:
    """Run what the command line asks for, in an empty folder."""
    end_in_order()
    options = _options()
    print(f"chaos with {options.jobs} jobs, seed {options.seed}", flush=True)
    try:
        with alone_in(options.folder), _server(sqlite=options.sqlite) as server:
            shutil.rmtree(options.folder, ignore_errors=True)
            options.folder.mkdir(parents=True)
            url = server.running.url if server else None
            run = Run(options.folder, options.jobs, options.seed, url, server)
            run.strikes, run.only = options.strikes, options.only
            found = run.play()
    except (DidNotStart, NotInTime) as failure:
        print(f"{failure}\nseed {options.seed}; the logs are in {options.folder}", file=sys.stderr)
        return 1
    report(found)
    if not found.is_good:
        print(f"\nFAILED with seed {options.seed}; the logs are in {options.folder}")
    return int(not found.is_good)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--strikes", type=int, help="faults; by default one for six jobs")
    parser.add_argument("--only", default="", help="faults whose name has this word")
    parser.add_argument("--sqlite", action="store_true", help="even where PostgreSQL is installed")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="emptied first")
    return parser.parse_args()


@contextmanager
def _server(*, sqlite: bool) -> Iterator[Server | None]:
    if sqlite or not any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        yield None
        return
    with postgres.running() as first:
        server = Server(first)
        try:
            yield server
        finally:
            server.running.stop()


def report(found: Verdict) -> None:
    """Print every figure, and what is wrong one a line."""
    print("\nFaults")
    for name, count in sorted(found.faults.items()):
        print(f"  {name:<44}{count:>8}")
    print("\nFigures")
    for name, count in found.figures.items():
        print(f"  {name:<44}{count:>8}")
    print("\nWrong")
    for kind in KINDS:
        print(f"  {kind:<44}{len(found.wrong.get(kind, [])):>8}")
    for kind, lines in found.wrong.items():
        for line in lines[:MOST_LINES]:
            print(f"  {kind}: {line}")


if __name__ == "__main__":
    sys.exit(main())
