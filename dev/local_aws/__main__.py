"""`python -m dev.local_aws start|stop|status`: one local AWS in the background, for a shell.

`start` prints the variables that lead a process there: `eval "$(python -m dev.local_aws start)"`.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from celeryconfig import QUEUES
from dev.children import STOP_SECONDS
from dev.local_aws.server import environment_of, start
from gas import env


@dataclass(frozen=True)
class Background:
    """The local AWS whose state, and the note of where it runs, lie in `folder`."""

    folder: Path

    @property
    def note(self) -> Path:
        """The file that says which process serves which port."""
        return self.folder / "server.json"

    def running(self) -> dict[str, int] | None:
        """Return the pid and port noted, if that process is still the server."""
        if not self.note.exists():
            return None
        found: dict[str, int] = json.loads(self.note.read_text())
        command = Path(f"/proc/{found['pid']}/cmdline")
        return found if command.exists() and b"ministack" in command.read_bytes() else None

    def start(self, port: int | None) -> int:
        """Start it unless it runs, with queues, buckets and sender; print the environment."""
        found = self.running() or self._launch(port)
        for name, value in environment_of(found["port"]).items():
            print(f"export {name}={shlex.quote(value)}")
        return 0

    def _launch(self, port: int | None) -> dict[str, int]:
        aws = start(self.folder, port, keep=True)
        aws.provision(
            QUEUES.values(),
            settings.BUCKETS,
            origin=settings.BASE_URL,
            sender=settings.DEFAULT_FROM_EMAIL,
        )
        found = {"pid": aws.process.pid, "port": aws.port}
        self.note.write_text(json.dumps(found))
        return found

    def stop(self) -> int:
        """Stop it and wait until it has gone; nothing running is fine."""
        if found := self.running():
            os.kill(found["pid"], signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self.running() and time.monotonic() < deadline:
                time.sleep(0.05)
        self.note.unlink(missing_ok=True)
        return 0

    def status(self) -> int:
        """Say where it runs; exit code 3 when it does not."""
        found = self.running()
        print(f"running on port {found['port']}, pid {found['pid']}" if found else "not running")
        return 0 if found else 3


def main() -> int:
    """Run one of the three commands."""
    env.use_our_settings()
    parser = argparse.ArgumentParser(prog="python -m dev.local_aws", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument("--folder", type=Path, default=settings.VAR / "aws")
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    background = Background(given.folder)
    match given.command:
        case "start":
            return background.start(given.port)
        case "stop":
            return background.stop()
    return background.status()


if __name__ == "__main__":
    sys.exit(main())
