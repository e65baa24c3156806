import os
import signal

import pytest

from annotator.crew import Crew
from annotator.errors import AnnotatorFailed, InputRefused


def work(task: int) -> int:
    """Square; refuse at 13, have no memory at 77, die at 99."""
    if task == 13:
        raise InputRefused("Thirteen is refused.")
    if task == 77:
        raise MemoryError
    if task == 99:
        os.kill(os.getpid(), signal.SIGKILL)
    return task * task


def answers(size: int, tasks: list[int]) -> list[int]:
    heard: list[int] = []
    with Crew(size, work, heard.append) as crew:
        for task in tasks:
            crew.give(task)
        crew.finish()
    return heard


@pytest.mark.parametrize("size", [1, 3])
def test_every_task_is_answered_once(size: int) -> None:
    assert sorted(answers(size, list(range(12)))) == [task * task for task in range(12)]


def test_a_refusal_crosses_over_to_the_parent() -> None:
    with pytest.raises(InputRefused, match="Thirteen"):
        answers(2, [1, 13, 2])


def test_a_worker_without_memory_says_so_to_the_parent() -> None:
    with pytest.raises(MemoryError):
        answers(2, [1, 77, 2])


def test_a_worker_that_dies_ends_the_run() -> None:
    with pytest.raises(AnnotatorFailed, match="ended with -9"):
        answers(2, [1, 99, 2])
