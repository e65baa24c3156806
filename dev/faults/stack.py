"""The whole service over a proxy that fails, in processes that die at named steps."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev.children import HOST, DidNotStart
from dev.faults.disk import StackWithDisks
from dev.faults.proxy import Proxy
from dev.stack import Ports

#: Short waits, so that each is met within seconds.
TIMERS = {
    "GAS_FREE_RETENTION": "4s",
    "GAS_DOWNGRADE_GRACE": "4s",
    "GAS_THAW_POLL": "1s",
    "GAS_RETRY_AFTER": "1s",
    "GAS_LEASE": "6s",
    "GAS_RESEND_AFTER": "8s",
    "GAS_SWEEP_EVERY": "6s",
    "GAS_LONG_POLL": "1s",
}


@dataclass
class FaultyStack(StackWithDisks):
    """A stack whose AWS is behind a proxy; `watching` starts again what was killed."""

    proxy: Proxy = field(init=False)
    restarts: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.proxy = Proxy(self.ports.aws)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.plans.mkdir(exist_ok=True)
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._start_again, daemon=True)

    @property
    def plans(self) -> Path:
        """The folder of what is to happen at steps."""
        return self.folder / "faults"

    @property
    def environment(self) -> dict[str, str]:
        """The stack's, led over the proxy."""
        return {
            **super().environment,
            "AWS_ENDPOINT_URL": self.proxy.endpoint,
            "GAS_FAULTS": str(self.plans),
        }

    @property
    def commands(self) -> dict[str, list[str]]:
        """The stack's, with steps that are watched."""
        named = {"tasks": "dev.faults.app", "gas.wsgi": "dev.faults.wsgi"}
        return {
            name: [named.get(word, word) for word in command]
            for name, command in super().commands.items()
        }

    def start(self) -> None:
        """Start the proxy, then everything else."""
        self.proxy.__enter__()
        super().start()
        self._watch.start()

    def stop(self) -> None:
        """Stop everything, the proxy last."""
        self._over.set()
        with suppress(RuntimeError):  # it never began
            self._watch.join()
        super().stop()
        self.proxy.__exit__()

    def plan(self, steps: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        """Let things happen: `annotate.publish.before.any` -> `process`."""
        for place, action in dict(steps).items():
            (self.plans / place).write_text(action)

    def seed(self, verb: str, what: object) -> Any:
        """Run `dev.faults.seed` in the stack, and return what it prints; S3 does not fail it."""
        unfailing = {"AWS_ENDPOINT_URL_S3": f"http://{HOST}:{self.ports.aws}"}
        done = subprocess.run(
            [sys.executable, "-m", "dev.faults.seed", verb],
            env=self.environment | unfailing,
            input=json.dumps(what),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DidNotStart(done.stderr[-2000:])
        return json.loads(done.stdout)

    def left(self) -> list[str]:
        """What was planned and has not happened."""
        return sorted(
            plan.name
            for plan in self.plans.iterdir()
            if plan.suffix != ".done" and "." in plan.name
        )

    def seen(self) -> set[str]:
        """The steps that were taken so far, as `task.step`."""
        seen = self.plans / "seen"
        return set(seen.read_text().split()) if seen.exists() else set()

    def _start_again(self) -> None:
        """Start what has ended, as an init system does; from one thread, which they end with."""
        while not self._over.wait(0.2):
            for name, process in list(self.processes.items()):
                if (code := process.poll()) is not None:
                    self.restarts.append((name, code))
                    self.launch(name)


def faulty(folder: Path, settings: Mapping[str, str]) -> FaultyStack:
    """A stack on free ports with short timers under the given settings."""
    return FaultyStack(folder, Ports.free(), TIMERS | dict(settings))
