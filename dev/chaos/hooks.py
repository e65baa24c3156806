"""Webhooks of the people of a run, and whether each was called for all that happened to its jobs.

A call comes at least once, always under the same id and with the same words; it is repeated only
when its answer or its receipt was lost.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from dev.chaos.books import BACK, DONE, Books, plain
from dev.chaos.crowd import Told
from dev.database import Database
from dev.faults.receiver import Heard, News, news_in

if TYPE_CHECKING:
    from dev.chaos.verdict import Verdict

#: The moves of a job that somebody is called for, and what each is called.
CALLED: dict[str, Collection[tuple[str, str]]] = {
    "job.started": [("queued", "running")],
    "job.completed": [DONE],
    "job.failed": [("queued", "failed"), ("running", "failed")],
    "job.cancelled": [("queued", "cancelled"), ("running", "cancelled")],
    "job.archived": [("archiving", "archived")],
    "job.restored": [BACK],
}


@dataclass(frozen=True)
class Hook:
    """One webhook of one persona; nobody else has its path."""

    persona: str
    path: str
    events: Sequence[str]


#: One has one, one has two, which are never called at once, and two have none.
HOOKS = (
    Hook("Free researcher", "/free", list(CALLED)),
    Hook("Premium researcher", "/premium", list(CALLED)),
    Hook("Premium researcher", "/premium/ends", ["job.completed", "job.failed", "job.restored"]),
)


class Call(NamedTuple):
    """One row: a call that was owed, and what became of it."""

    path: str
    id: str
    news: News
    is_taken: bool
    is_owed: bool


_CALLS = """
SELECT webhook.url, call.message_id, call.event, call.job_number,
    call.delivered_at IS NOT NULL, call.wake_at IS NOT NULL
FROM gas_delivery call JOIN gas_webhook webhook ON webhook.id = call.webhook_id
"""


def calls_in(database: Database) -> list[Call]:
    """Every call that was owed to anybody."""
    return [
        Call(urlsplit(url).path, plain(str(number)), News(event, job), bool(taken), bool(owed))
        for url, number, event, job, taken, owed in database.rows(_CALLS)
    ]


def judge(
    verdict: "Verdict",
    books: Books,
    told: Sequence[Told],
    calls: Sequence[Call],
    heard: Sequence[Heard],
) -> None:
    """Each move was owed to whoever asked for it, once, and came, under one id, in one wording."""
    for hook in HOOKS:
        jobs = [one.job for one in told if one.errand.persona == hook.persona and one.job]
        mine = [call for call in calls if call.path == hook.path]
        _judge_owed(verdict, hook, _due(hook, books, jobs), Counter(call.news for call in mine))
    _judge_heard(verdict, calls, heard)
    verdict.figures["calls of webhooks"] = len(heard)
    verdict.figures["calls repeated, with the same id"] = len(heard) - len(
        {(each.path, each.id) for each in heard}
    )


def _due(hook: Hook, books: Books, jobs: Sequence[int]) -> Counter[News]:
    return Counter(
        {
            News(event, job): sum(books.steps[job][move] for move in CALLED[event])
            for job in jobs
            for event in hook.events
        }
    )


def _judge_owed(verdict: "Verdict", hook: Hook, due: Counter[News], owed: Counter[News]) -> None:
    for news in due - owed:
        verdict.blame("calls", f"{hook.path} was not owed {news}")
    for news in owed - due:
        verdict.blame("calls", f"{hook.path} was owed {news} {owed[news]} times")


def _judge_heard(verdict: "Verdict", calls: Sequence[Call], heard: Sequence[Heard]) -> None:
    came: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for each in heard:
        came[each.path, plain(each.id)].add(each.body)
    for path, number in came.keys() - {(call.path, call.id) for call in calls}:
        verdict.blame("calls", f"{path} was called under {number}, which nobody owed")
    for call in calls:
        if what := _wrong_with(call, came[call.path, call.id]):
            verdict.blame("calls", f"{call.path}: {call.news} {what}")


def _wrong_with(call: Call, wordings: set[bytes]) -> str:
    if call.is_owed:
        return "is owed still"
    if not call.is_taken:
        return "was given up"
    if not wordings:
        return "never came"
    if len(wordings) > 1:
        return f"came in {len(wordings)} wordings"
    return "" if news_in(wordings.pop()) == call.news else "came as something else"
