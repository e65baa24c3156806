"""What `make chaos` finds wrong with calls of webhooks, given rows and what a receiver heard."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest

from dev.chaos import hooks
from dev.chaos.books import DONE, Books
from dev.chaos.crowd import Told
from dev.chaos.hooks import HOOKS, Call
from dev.chaos.script import Errand
from dev.chaos.verdict import Verdict
from dev.faults.receiver import Heard, News

PERSON, PATH = HOOKS[0].persona, HOOKS[0].path
COMPLETED = News("job.completed", 7)
BEGUN = News("job.started", 7)

STARTED_CALL = Call(PATH, "a1", BEGUN, is_taken=True, is_owed=False)
DONE_CALL = Call(PATH, "b2", COMPLETED, is_taken=True, is_owed=False)


def heard(number: str, news: News, words: str = "") -> Heard:
    told = {"type": news.event, "data": {"job": {"id": news.job}}, "words": words}
    return Heard(PATH, number, json.dumps(told).encode())


CAME = [heard("a-1", BEGUN), heard("b-2", COMPLETED)]


def wrong(calls: Sequence[Call], came: Sequence[Heard]) -> list[str]:
    """What is wrong with the calls about one job, which was begun and completed."""
    verdict = Verdict()
    books = Books({}, {}, defaultdict(Counter, {7: Counter([("queued", "running"), DONE])}), [])
    told = [Told(Errand(1, PERSON, "first", None), "1-first.vcf", job=7)]
    hooks.judge(verdict, books, told, calls, came)
    return verdict.wrong["calls"]


def test_calls_that_came_are_right_and_so_are_repeats_in_the_same_words() -> None:
    assert wrong([STARTED_CALL, DONE_CALL], [*CAME, CAME[1]]) == []


@pytest.mark.parametrize(
    ("calls", "came", "said"),
    [
        ([STARTED_CALL], CAME[:1], "was not owed"),
        ([STARTED_CALL, DONE_CALL, DONE_CALL._replace(id="c3")], CAME, "was owed"),
        ([STARTED_CALL, DONE_CALL], CAME[:1], "never came"),
        ([STARTED_CALL, DONE_CALL._replace(is_owed=True)], CAME, "is owed still"),
        ([STARTED_CALL, DONE_CALL._replace(is_taken=False)], CAME, "was given up"),
        ([STARTED_CALL, DONE_CALL], [*CAME, heard("b-2", COMPLETED, "!")], "2 wordings"),
        ([STARTED_CALL, DONE_CALL], [CAME[0], heard("b-2", BEGUN)], "something else"),
        ([STARTED_CALL, DONE_CALL], [*CAME, heard("d-4", COMPLETED)], "which nobody owed"),
    ],
)
def test_a_call_that_is_lost_stuck_doubled_or_changed_is_found(
    calls: Sequence[Call], came: Sequence[Heard], said: str
) -> None:
    assert any(said in line for line in wrong(calls, came))
