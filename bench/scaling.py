"""`python -m bench.scaling [--most N] [--write]`: do the targets keep the waits below the goals?

Simulates each group of `deploy.scaling` through days of 10 to 1,000,000 jobs, and other metrics and
targets beside the chosen ones. The same seed gives the same figures anywhere. `--write` puts tables
and pictures into docs/scaling.md, which takes a minute up to 100,000 jobs a day and two with all.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench import blocks
from bench.fleet.drawing import Axis, Line, svg
from bench.fleet.experiments import METRICS, TARGETS, VOLUMES, Figures, Trial, figures, worst
from deploy.scaling import BOOT_SECONDS, GOALS_OF_PLANS, GROUPS, Backlog, Group

PAGE = Path(__file__).resolve().parent.parent / "docs/scaling.md"

#: Where candidates are compared: many jobs come to one machine's worth of work, and to many.
COMPARED = (1_000, 10_000)

VOLUME_HEADS = (
    *("jobs a day", "group", "wait p95", "free p95", "premium p95"),
    *("machines at most", "in use", "dollars a month"),
)
CANDIDATE_HEADS = (
    *("group", "metric", "target", "wait p95", "free p95", "premium p95", "dollars a month"),
    *("tasks in hand when scaled in, a day", "keeps the goals"),
)


def said(seconds: float) -> str:
    """Write seconds as people do."""
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.1f} min"


def _plans(group: Group, found: Figures) -> list[str]:
    """The waits from handing in, which only annotations have."""
    if group.name != "annotate":
        return ["", ""]
    return [said(found.of_plans[plan]) for plan in GOALS_OF_PLANS]


def volume_row(group: Group, a_day: int) -> list[str]:
    """What the chosen target of a group makes of one volume."""
    found = figures(Trial(group, a_day))
    cells = [str(found.machines), f"{found.used:.0%}", f"{found.dollars:,.2f}"]
    return [f"{a_day:,}", group.name, said(found.wait), *_plans(group, found), *cells]


def chosen(volumes: Sequence[int] = VOLUMES) -> str:
    """The table of the chosen targets at each volume."""
    rows = [volume_row(group, a_day) for a_day in volumes for group in GROUPS.values()]
    return blocks.table(VOLUME_HEADS, rows)


def candidates(group: Group, volumes: Sequence[int] = COMPARED) -> list[list[str]]:
    """Both metrics with each target: the worst waits, and what it costs at the largest volume."""
    rows = []
    for metric in Backlog:
        for target in TARGETS[group.name]:
            tried = replace(group, target=target, backlog=metric)
            found = [worst(Trial(tried, a_day)) for a_day in volumes]
            rows.append(_candidate(tried, found))
    return rows


def _candidate(group: Group, found: list[Figures]) -> list[str]:
    slowest = replace(
        found[-1],
        wait=max(one.wait for one in found),
        of_plans={plan: max(one.of_plans[plan] for one in found) for plan in GOALS_OF_PLANS},
    )
    kept = "yes" if all(one.keeps(group) for one in found) else "no"
    costs = [f"{slowest.dollars:,.0f}", f"{slowest.interrupted:.0f}", kept]
    waits = [said(slowest.wait), *_plans(group, slowest)]
    return [group.name, f"`{group.backlog}`", f"{group.target:g}", *waits, *costs]


def boots(group: Group) -> str:
    """How the wait grows with the time that a machine takes to boot."""
    rows = [
        [said(boot), *(said(figures(Trial(group, a_day, boot=boot)).wait) for a_day in COMPARED)]
        for boot in (30.0, float(BOOT_SECONDS), 300.0, 600.0)
    ]
    return blocks.table(("boot", *(f"{a_day:,} jobs a day" for a_day in COMPARED)), rows)


def by_rows() -> str:
    """What it would cost to scale by rows that wait, though their owners' turn has not come."""
    group = GROUPS["annotate"]
    cells: list[list[str]] = []
    for name in METRICS:
        found = worst(Trial(group, 10_000, metric=name))
        waits = [said(found.wait), *_plans(group, found)]
        cells.append([f"`{name}`", *waits, str(found.machines), f"{found.dollars:,.0f}"])
    heads = ("metric", "wait p95", "free p95", "premium p95", "machines at most", "dollars a month")
    return blocks.table(heads, cells)


def picture_of_waits(volumes: Sequence[int]) -> str:
    """The chosen targets' waits, from few jobs a day to very many, below their goals."""
    group = GROUPS["annotate"]
    found = [(a_day, figures(Trial(group, a_day))) for a_day in volumes]
    lines = [
        Line("turn to beginning", [(a_day, one.wait / 60) for a_day, one in found]),
        *(
            Line(f"{plan}: handed in to beginning", [(n, f.of_plans[plan] / 60) for n, f in found])
            for plan in GOALS_OF_PLANS
        ),
        Line(f"goal of turns, {said(group.goal)}", [(n, group.goal / 60) for n, _ in found], True),
    ]
    ticks = [(float(a_day), f"{a_day:,}") for a_day in volumes]
    across = Axis("jobs a day", volumes[0], volumes[-1], ticks, by_tens=True)
    up = Axis("minutes, 95 of 100 jobs", 0, 30, [(float(m), str(m)) for m in range(0, 31, 5)])
    return svg("Waits for an annotation by jobs a day", across, up, lines)


def picture_of_a_day(metric: Backlog) -> str:
    """One day of 10,000 jobs: what is asked for, and how many machines there are."""
    group = GROUPS["annotate"]
    out = Trial(replace(group, backlog=metric), 10_000).run()
    hours = [(minute / 60, point) for minute, point in enumerate(out.minutes) if minute <= 24 * 60]
    lines = [
        Line(
            "jobs whose turn has come", [(at, visible + busy) for at, (visible, busy, _) in hours]
        ),
        Line("processes that could work", [(at, group.processes * n) for at, (*_, n) in hours]),
    ]
    across = Axis("hour of the day", 0, 24, [(float(h), str(h)) for h in range(0, 25, 3)])
    up = Axis(str(metric), 0, 40, [(float(n), str(n)) for n in range(0, 41, 10)])
    return svg(f"A day of 10,000 jobs, scaled by {metric}", across, up, lines)


def write(volumes: Sequence[int]) -> None:
    """Put every table and picture into the page."""
    compared = [row for group in GROUPS.values() for row in candidates(group)]
    blocks.fill(PAGE, "volumes", chosen(volumes))
    blocks.fill(PAGE, "candidates", blocks.table(CANDIDATE_HEADS, compared))
    blocks.fill(PAGE, "rows", by_rows())
    blocks.fill(PAGE, "boots", boots(GROUPS["annotate"]))
    images = PAGE.parent / "images"
    (images / "scaling-waits.svg").write_text(picture_of_waits(volumes))
    for metric in Backlog:
        name = f"scaling-day-{metric.name.lower()}.svg"
        (images / name).write_text(picture_of_a_day(metric))


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(prog="bench.scaling", description=__doc__)
    parser.add_argument("--most", type=int, default=100_000, help="jobs a day at most")
    parser.add_argument("--write", action="store_true", help="write docs/scaling.md")
    options = parser.parse_args()
    volumes = [a_day for a_day in VOLUMES if a_day <= options.most]
    if options.write:
        write(volumes)
    else:
        print(chosen(volumes))
        print(blocks.table(CANDIDATE_HEADS, candidates(GROUPS["annotate"])))


if __name__ == "__main__":
    main()
