"""`manage.py status`: how the service stands, as the operators' page shows it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from gas.services import operations
from gas.services.operations import Snapshot
from gas.services.operations_history import Rate
from gas.services.operations_rows import Count


class Command(BaseCommand):
    """Print how everything stands."""

    help = "Tell how queues, workers, jobs, storage and costs stand."

    def add_arguments(self, parser: CommandParser) -> None:
        """For people or for programs."""
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="all of it, as JSON"
        )

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        """Print it."""
        seen = operations.snapshot()
        if as_json:
            self.stdout.write(json.dumps(operations.as_json(seen), cls=DjangoJSONEncoder, indent=2))
            return
        for part in (_queues, _workers, _jobs, _rest):
            self.stdout.write("\n".join(part(seen)))


def _queues(seen: Snapshot) -> list[str]:
    lines = [f"{'queue':<12}{'visible':>9}{'in flight':>11}{'delayed':>9}{'dead':>6}  oldest row"]
    for queue in seen.queues:
        numbers = (queue.visible, queue.in_flight, queue.delayed, queue.dead)
        visible, flying, delayed, dead = ("?" if n is None else n for n in numbers)
        oldest = f"{queue.oldest.state}, {queue.oldest_seconds} s" if queue.oldest else "-"
        paused = f"  PAUSED by {queue.paused_by}: {queue.pause_reason}" if queue.paused_at else ""
        lines.append(
            f"{queue.name:<12}{visible:>9}{flying:>11}{delayed:>9}{dead:>6}  {oldest}{paused}"
        )
    return lines


def _workers(seen: Snapshot) -> list[str]:
    lines = [
        f"{worker.name}{' LOST' if worker.is_lost else ''}: {', '.join(worker.queues)};"
        f" {worker.memory_mb} MB; runs "
        + (
            ", ".join(f"{task.task} {task.job or ''}".strip() for task in worker.running)
            or "nothing"
        )
        for worker in seen.workers
    ]
    return ["", *(lines or ["no worker has given a sign of life"])]


def _jobs(seen: Snapshot) -> list[str]:
    rows, history = seen.rows, seen.history
    states = (f"{_said(count)} {state}" for state, count in rows.jobs.items() if count.number)
    owed = {
        "mails": rows.mails_owed,
        "calls of webhooks": rows.webhooks_owed,
        "files to destroy": rows.to_destroy,
        "alarms to mail": rows.alarms_untold,
    }
    reasons = (f"  {each.jobs} x {each.kind or 'failed'}: {each.words}" for each in history.reasons)
    return [
        "",
        f"jobs: {', '.join(states) or 'none'}; {_said(rows.in_trouble)} in trouble",
        f"leases: {_said(rows.leases_held)} held, {_said(rows.leases_expired)} expired",
        f"owed: {', '.join(f'{_said(count)} {what}' for what, count in owed.items())}",
        f"ended: {_rate(history.last_hour)} in an hour, {_rate(history.last_day)} in a day",
        *reasons,
    ]


def _rest(seen: Snapshot) -> list[str]:
    usage, told, compared = seen.rows.usage, seen.maintenance, seen.rows.comparison
    at_hand = usage["input_bytes"] + usage["result_bytes"]
    month = f"${seen.monthly_dollars:,.2f} a month (prices of {seen.releases.prices_of})"
    found = (
        f"{compared.started_at:%F %R}, {compared.counts or 'all agrees'}" if compared else "never"
    )
    return [
        "",
        f"kept: {at_hand:,} bytes at hand, {usage['archived_bytes']:,} in the archive; {month}",
        f"compared with storage: {found}",
        f"maintenance: {told.message if told else 'none'}",
        f"release {seen.releases.commit[:12]}; bundles {', '.join(seen.releases.bundles)}",
    ]


def _said(count: Count) -> str:
    return f"more than {count.number}" if count.is_more else str(count.number)


def _rate(rate: Rate) -> str:
    failing = "" if rate.failing is None else f" ({100 * rate.failing:.0f} % failed)"
    return f"{rate.completed + rate.failed + rate.cancelled}{failing}"
