"""The named steps of every task, and what can be made to happen before and after each.

`GAS_FAULTS` names a folder. A file `<task>.<step>.<moment>.<job>` in it (the job is a number or
`any`) holds what happens once when a process comes there: see `ACTIONS`. It is then renamed to
`*.done`, unless it says `always`. Without the variable nothing is planted.
"""

import functools
import importlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dev.children import children_of
from dev.faults import disk
from dev.waiting import until
from tasks import app

MOMENTS = ("before", "after")

#: Each step by its name, and the functions that take it.
STEPS = {
    "claim": ["gas.models.claims:JobQuerySet.claim"],
    "fetch": ["gas.storage.result_sets:fetch_input"],
    "child": ["annotator.child:run"],
    "watch": ["annotator.child:_watch"],
    "publish": ["gas.storage.result_sets:publish"],
    "record": ["gas.models.job:Job.record_results"],
    "owe": ["gas.models.job:Job.owe"],
    "advance": ["gas.models.job:Job.advance"],
    "let_go": ["gas.models.job:Job.let_go", "gas.models.webhooks:Webhook.let_go"],
    "send": ["celery.app.base:Celery.send_task"],
    "destroy": ["gas.storage.result_sets:destroy"],
    "take": ["gas.models.audit:NoticeQuerySet.take", "gas.models.webhooks:WebhookQuerySet.take"],
    "mail": ["gas.mail:send"],
    "call": ["gas.webhooks.calls:call"],
    "receipt": [
        "gas.models.audit:Notice.record_sent",
        "gas.models.webhooks:Delivery.record_taken",
    ],
    "copy": ["gas.storage.result_sets:archive"],
    "discard": ["gas.storage.result_sets:discard_results"],
    "request": ["gas.storage.result_sets:thaw"],
    "bring_back": ["gas.storage.result_sets:bring_back"],
    "adopt": ["gas.storage.result_sets:adopt_restored"],
}

#: The steps that each task takes on a good day, in their order.
TAKEN = {
    "annotate": [
        *("claim", "fetch", "child", "watch", "publish", "record", "owe", "advance", "send"),
        "destroy",
    ],
    "notify": ["take", "mail", "receipt"],
    "deliver": ["take", "call", "receipt", "let_go"],
    "archive": ["claim", "copy", "discard", "advance", "destroy"],
    "thaw": ["claim", "request", "let_go", "send"],
    "restore": ["claim", "bring_back", "adopt", "owe", "advance", "send", "destroy"],
}


def _kill_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_worker() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    _kill_process()


def _kill_child() -> None:
    for pid in children_of(os.getpid()):
        os.kill(pid, signal.SIGKILL)


def _drain() -> None:
    os.kill(os.getppid(), signal.SIGTERM)


def _hang() -> None:
    threading.Event().wait(3600)


def _hold() -> None:
    held = Path(os.environ["GAS_FAULTS"], "hold")
    until(lambda: not held.exists(), f"the end of {held}", seconds=600)


def _fill_disk() -> None:
    disk.fill(Path(tempfile.gettempdir()))


def _empty_disk() -> None:
    disk.empty(Path(tempfile.gettempdir()))


#: What can happen at a step: the end of this process, of its worker too, of the annotator; an
#: order to the worker to end; nothing, for ever or while there is a file `hold`; the disk of the
#: worker is full, and has room again.
ACTIONS: dict[str, Callable[[], None]] = {
    "process": _kill_process,
    "worker": _kill_worker,
    "child": _kill_child,
    "drain": _drain,
    "hang": _hang,
    "hold": _hold,
    "fill": _fill_disk,
    "empty": _empty_disk,
}


def plant(process: str) -> None:
    """Watch every step in this process, which is called so where no task runs."""
    if folder := os.environ.get("GAS_FAULTS"):
        for step, places in STEPS.items():
            for place in places:
                _wrap(place, _Watch(Path(folder), process, step))


def _wrap(place: str, watch: "_Watch") -> None:
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    taken = getattr(owner, name)

    @functools.wraps(taken)
    def watched(*args: Any, **kwargs: Any) -> Any:
        watch.come("before")
        returned = taken(*args, **kwargs)
        watch.come("after")
        return returned

    setattr(owner, name, watched)


class _Watch:
    def __init__(self, folder: Path, process: str, step: str) -> None:
        self._folder, self._process, self._step = folder, process, step

    def come(self, moment: str) -> None:
        """Note that a process comes to a step, and let happen what is planned there."""
        task, job = self._process, "any"
        if current := app.current_worker_task:
            task, args = str(current.name), current.request.args or ()
            job = str(next(iter(args), "any"))
        with (self._folder / "seen").open("a") as seen:
            seen.write(f"{task}.{self._step}\n")
        for whose in {job, "any"}:
            self._act(self._folder / f"{task}.{self._step}.{moment}.{whose}")

    def _act(self, plan: Path) -> None:
        try:
            action, _, always = plan.read_text().partition(" ")
            if not always:
                plan.rename(plan.with_suffix(f"{plan.suffix}.done"))
        except FileNotFoundError:
            return
        print(f"on purpose: {action} at {plan.name}", file=sys.stderr, flush=True)
        ACTIONS[action]()
