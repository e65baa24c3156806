"""The whole service on this machine: site, worker, beat, local AWS, fake Globus and fake Stripe.

The demo, `make run` and the tests start the same processes; they differ by environment alone.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from celeryconfig import QUEUES
from dev import local_aws
from dev.children import HOST, DidNotStart, children_of, end, free_port, is_free, spawn
from dev.local_aws.server import environment_of
from dev.waiting import NotInTime, until

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 180


@dataclass(frozen=True)
class Ports:
    """Where each server listens on loopback."""

    site: int
    globus: int
    stripe: int
    aws: int

    @classmethod
    def free(cls) -> Self:
        """Choose ports that nobody uses."""
        return cls(*(free_port() for _ in range(4)))

    @classmethod
    def usual(cls) -> Self:
        """The ports that the guide names, each replaced when it is taken."""
        return cls(*(port if is_free(port) else free_port() for port in (8000, 8001, 8002, 4566)))


@dataclass
class Stack:
    """One running service, whose files and logs lie in `folder`.

    `settings` are variables such as `GAS_FREE_RETENTION`, over those the stack needs itself.
    """

    folder: Path
    ports: Ports
    settings: Mapping[str, str] = field(default_factory=dict)
    aws: local_aws.LocalAws | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    own_settings: dict[str, dict[str, str]] = field(default_factory=dict)  # of one process alone

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.stop)
            self.start()
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def site_url(self) -> str:
        """The address of the site."""
        return f"http://{HOST}:{self.ports.site}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of the stack."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": f"sqlite:///{self.folder}/gas.sqlite3",
            "GAS_STATIC_ROOT": str(self.folder / "static"),
            "GAS_BASE_URL": self.site_url,
            "GAS_GLOBUS_URL": f"http://{HOST}:{self.ports.globus}",
            "GAS_STRIPE_URL": f"http://{HOST}:{self.ports.stripe}",
            "GAS_LONG_POLL": "1s",  # a worker that ends waits for the polls that it has open
            **environment_of(self.ports.aws),
            **self.settings,
        }

    def start(self) -> None:
        """Start everything; DidNotStart names what failed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor() as together:
            prepared = [
                together.submit(self.manage, "migrate", "--verbosity=0"),
                together.submit(self.manage, "collectstatic", "--no-input", "--verbosity=0"),
            ]
            self.start_aws()
        for step in prepared:
            step.result()
        for name in ("worker", "courier", "beat", "globus", "stripe", "site"):
            self.launch(name)
        fakes = (self.ports.globus, self.ports.stripe)
        self._wait(lambda: not any(map(is_free, fakes)), "fake Globus or Stripe")
        self._wait(lambda: _answers(f"{self.site_url}/healthz"), "site")

    def start_aws(self) -> None:
        """Start the local AWS, with whatever it held when it was stopped."""
        self.aws = local_aws.start(self.folder / "aws", self.ports.aws)
        self.run("dev.provision")

    def launch(self, name: str) -> subprocess.Popen[bytes]:
        """Start one process by its name in `commands`; its log is `<name>.log`."""
        log = self.folder / f"{name}.log"
        self.processes[name] = spawn(self.command(name), self.environment_of(name), log)
        return self.processes[name]

    def command(self, name: str) -> list[str]:
        """The command line of a process."""
        return [sys.executable, "-m", *self.commands[name]]

    def environment_of(self, name: str) -> dict[str, str]:
        """The environment of a process."""
        return self.environment | self.own_settings.get(name, {})

    def kill(self, name: str) -> None:
        """End one process and its children without a warning, as a lost machine would."""
        process = self.processes.pop(name)
        for pid in [*children_of(process.pid), process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    @property
    def commands(self) -> dict[str, list[str]]:
        """The module and arguments of each process."""
        celery = ["celery", "-A", "tasks", "--quiet"]
        worker = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency=2"]
        others = ",".join(name for name in QUEUES if name != "annotate")
        webhook = f"{self.site_url}/billing/webhook/"
        # A machine that stands still for a while is no reason to break off its requests.
        site = [f"--bind={HOST}:{self.ports.site}", "--threads=8", "--timeout=600"]
        return {
            "site": ["gunicorn", "gas.wsgi", *site],
            "worker": [*celery, "worker", *worker, "--hostname=annotate@%h", "--queues=annotate"],
            "courier": [*celery, "worker", *worker, "--hostname=courier@%h", f"--queues={others}"],
            "beat": [*celery, "beat", f"--schedule={self.folder}/beat", "--loglevel=INFO"],
            "globus": ["dev.fake_globus", f"--port={self.ports.globus}"],
            "stripe": [
                "dev.fake_stripe",
                f"--port={self.ports.stripe}",
                f"--webhook={webhook}",
                f"--state={self.folder}/stripe.json",
            ],
        }

    def manage(self, *arguments: str) -> None:
        """Run one of Django's commands."""
        self.run("manage", *arguments)

    def run(self, module: str, *arguments: str) -> None:
        """Run a module of the project to its end; DidNotStart with what it said when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DidNotStart(f"{module} {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")

    def stop(self) -> None:
        """Stop everything, the workers after the work in hand."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            end(process)
        self.processes.clear()
        if self.aws is not None:
            self.aws.stop()

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        def ready_or_ended() -> bool:
            if last_words := self.ended():
                raise DidNotStart(last_words)
            return ready()

        try:
            until(ready_or_ended, what, seconds=START_SECONDS)
        except NotInTime as late:
            raise DidNotStart(str(late)) from late

    def ended(self) -> str:
        """Say which process has ended, with the end of its log; nothing while all run."""
        logs = {name: self.folder / f"{name}.log" for name in self.processes}
        running = dict(self.processes)
        if self.aws is not None:
            logs["aws"], running["aws"] = self.folder / "aws" / "server.log", self.aws.process
        for name, process in running.items():
            if process.poll() is not None:
                return f"{name} has ended:\n{logs[name].read_text(errors='replace')[-2000:]}"
        return ""


def _answers(url: str) -> bool:
    if urlsplit(url).scheme != "http":
        raise ValueError(url)
    try:
        with urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False
