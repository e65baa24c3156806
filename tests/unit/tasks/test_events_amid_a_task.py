"""Events between any two steps of a task: every statement outside a transaction, every call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from tests.seams.outcome import seen_end
from tests.seams.scenes import SITUATIONS, Scene
from tests.seams.scenes import scene as scene
from tests.unit.tasks.test_events_in_every_state import comes_and_goes, goes_and_comes

pytestmark = pytest.mark.in_memory

Event = Callable[[Scene], object]


class Interference:
    """Lets an event happen once, before a certain step; transactions are one step to others."""

    def __init__(self, scene: Scene, event: Event, *, before: int) -> None:
        self.happened = False
        self._scene, self._event, self._left = scene, event, before
        self._depth = list(connection.savepoint_ids)
        self._busy = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count the steps of what runs in this block."""
        with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(self._statement):
            patch.setattr(self._scene.world.fate, "step", self._step)
            yield

    def _statement(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        self._step(sql)
        return execute(sql, *args)

    def _step(self, name: str) -> None:
        if self._busy or self.happened or connection.savepoint_ids != self._depth:
            return
        if self._left == 0:
            self._busy = True
            self._event(self._scene)
            self._busy, self.happened = False, True
        self._left -= 1


@pytest.fixture(autouse=True)
def long_retention(settings: Settings) -> None:
    """The hours of these tests bring no job to the archive by themselves."""
    settings.FREE_RETENTION = timedelta(days=7)


@pytest.mark.parametrize(
    ("situation", "event", "task", "ends"),
    [
        ("waits for annotate", Scene.subscribe, "annotate", {"kept"}),
        ("waits for annotate", comes_and_goes, "annotate", {"dated"}),
        ("waits for annotate", Scene.cancel, "annotate", {"stopped", "dated"}),
        ("waits for annotate", Scene.delete, "annotate", {"gone"}),
        ("is due for the archive", Scene.delete, "archive", {"gone"}),
        ("waits to be restored", Scene.delete, "restore", {"gone"}),
        ("is completed, nobody told", Scene.subscribe, "notify", {"kept"}),
        ("is due for the archive", Scene.subscribe, "archive", {"kept", "kept*"}),
        ("is due for the archive", comes_and_goes, "archive", {"dated", "archived"}),
        ("is asked back", Scene.end, "thaw", {"archived", "dated*"}),
        ("waits for its retrieval", Scene.end, "thaw", {"dated*"}),
        ("waits to be restored", Scene.end, "restore", {"dated*"}),
        ("waits to be restored", goes_and_comes, "restore", {"kept*"}),
    ],
)
def test_an_event_between_any_two_steps_of_a_task_ends_right(
    scene: Scene, situation: str, event: Event, task: str, ends: set[str]
) -> None:
    SITUATIONS[situation](scene)
    seen = set()
    for step in count():
        with scene.world.on_trial():
            interference = Interference(scene, event, before=step)
            with interference.watching():
                scene.world.broker.deliver(task)
            if not interference.happened:
                break
            scene.world.until_quiet()
            seen.add(seen_end(scene.world, scene.job))
    assert step >= 3
    assert seen == ends
