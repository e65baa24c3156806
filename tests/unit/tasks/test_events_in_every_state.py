"""Every event in every state of a job: one table of how it ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings

from tasks import app
from tasks.sweep import sweep
from tests.seams.outcome import seen_end
from tests.seams.scenes import SITUATIONS, Scene
from tests.seams.scenes import scene as scene

pytestmark = pytest.mark.in_memory

# --- what may happen ------------------------------------------------------------------------------


def comes_and_goes(scene: Scene) -> None:
    scene.subscribe()
    scene.end()


def goes_and_comes(scene: Scene) -> None:
    scene.end()
    scene.subscribe()


def much_comes_again(scene: Scene) -> None:
    """Every message twice more, a sweep, the staff's button and the provider's repeats."""
    for task in ("annotate", "notify", "archive", "thaw", "restore"):
        for _ in range(2):
            app.signature(task, args=(scene.job.pk,), immutable=True).apply_async()
    sweep.run()
    scene.send_again()
    scene.replay()


#: The columns of the table.
EVENTS: list[tuple[str, Callable[[Scene], object]]] = [
    ("nothing happens", lambda scene: None),
    ("everything harmless comes again", much_comes_again),
    ("its owner subscribes", Scene.subscribe),
    ("its owner's subscription ends", Scene.end),
    ("its owner subscribes and it ends", comes_and_goes),
    ("it ends and its owner subscribes", goes_and_comes),
    ("its owner cancels", Scene.cancel),
    ("its owner deletes it", Scene.delete),
]

#: The plan's events, which a lost message must not delay for ever.
PLAIN = {"nothing happens", "its owner subscribes", "its owner's subscription ends"}

#: Where no message is on its way that could be lost.
AT_REST = {
    "waits for its turn",
    "is completed",
    "is archived",
    "is a subscriber's",
    "has failed",
    "is cancelled",
}

#: How a job ends, by where it was and what happened; an asterisk is a mail that it is back.
#: kept: at hand for good; dated: at hand until its date; stopped: cancelled; else as the word says.
#: A job that rests amid a step does so whatever happens, and ends (~) after staff have mended it.
TABLE = """
                           |nothing |again   |sub     |end     |sub, end|end, sub|cancel  |delete
waits for its turn         |dated   |dated   |kept    |dated   |dated   |kept    |stopped |gone
waits for annotate         |dated   |dated   |kept    |dated   |dated   |kept    |stopped |gone
waits to be annotated again|dated   |dated   |kept    |dated   |dated   |kept    |stopped |gone
lost its annotating worker |dated   |dated   |kept    |dated   |dated   |kept    |stopped |gone
is completed, nobody told  |dated   |dated   |kept    |dated   |dated   |kept    |dated   |gone
is completed               |dated   |dated   |kept    |dated   |dated   |kept    |dated   |gone
is due for the archive     |archived|archived|kept    |archived|dated   |kept    |archived|gone
waits to be archived again |archived|archived|kept*   |archived|archived|kept*   |archived|gone
lost its archiving worker  |archived|archived|kept*   |archived|archived|kept*   |archived|gone
rests amid archiving       |~archived|~archived|~kept*|~archived|~archived|~kept*|~archived|gone
is archived                |archived|archived|kept*   |archived|archived|kept*   |archived|gone
is asked back              |kept*   |kept*   |kept*   |archived|archived|kept*   |kept*   |gone
waits for its retrieval    |kept*   |kept*   |kept*   |dated*  |dated*  |kept*   |kept*   |gone
lost its thawing worker    |kept*   |kept*   |kept*   |dated*  |dated*  |kept*   |kept*   |gone
rests amid thawing         |~kept*  |~kept*  |~kept*  |~dated* |~dated* |~kept*  |~kept*  |gone
waits to be restored       |kept*   |kept*   |kept*   |dated*  |dated*  |kept*   |kept*   |gone
waits to be restored again |kept*   |kept*   |kept*   |dated*  |dated*  |kept*   |kept*   |gone
lost its restoring worker  |kept*   |kept*   |kept*   |dated*  |dated*  |kept*   |kept*   |gone
rests amid restoring       |~kept*  |~kept*  |~kept*  |~dated* |~dated* |~kept*  |~kept*  |gone
is a subscriber's          |kept    |kept    |kept    |dated   |dated   |kept    |kept    |gone
has failed                 |failed  |failed  |failed  |failed  |failed  |failed  |failed  |gone
is cancelled               |stopped |stopped |stopped |stopped |stopped |stopped |stopped |gone
"""

ENDS = {
    cells[0]: cells[1:]
    for cells in ([cell.strip() for cell in line.split("|")] for line in TABLE.splitlines()[2:])
}


@pytest.fixture(autouse=True)
def long_retention(settings: Settings) -> None:
    """The hours of these tests bring no job to the archive by themselves."""
    settings.FREE_RETENTION = timedelta(days=7)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_job_whose_messages_all_come_twice_and_that(scene: Scene, situation: str) -> None:
    SITUATIONS[situation](scene)
    scene.world.broker.waiting.extend(scene.world.broker.arrived()[:])
    for (event, interfere), end in zip(EVENTS, ENDS[situation], strict=True):
        assert ended(scene, interfere) == end, f"when {event}"


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name not in AT_REST])
def test_a_job_that_has_lost_its_message_and_that(scene: Scene, situation: str) -> None:
    SITUATIONS[situation](scene)
    scene.world.broker.lose()
    for (event, interfere), end in zip(EVENTS, ENDS[situation], strict=True):
        if event in PLAIN:
            assert ended(scene, interfere) == end, f"when {event}"


def ended(scene: Scene, interfere: Callable[[Scene], object]) -> str:
    """How the job ends after this event, which is then undone; `~` if it needed staff for that."""
    with scene.world.on_trial():
        interfere(scene)
        return scene.until_quiet() + seen_end(scene.world, scene.job)
