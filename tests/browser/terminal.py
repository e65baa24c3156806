"""The client as somebody runs it in a terminal: a process of its own, which can be killed."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]

#: Runs the command with small pieces, counts parts that were sent and pieces that were written, and
#: dies without a warning after so many of them (0: never). The count is the last line it tells.
COUNTED = """
import os, signal, sys, threading
from gas_client import pieces, uploading
from gas_client.cli.main import run
from gas_client.wire import Wire

most, lock, done = int(sys.argv.pop(1)), threading.Lock(), []

def counted(step):
    def do(*given, **named):
        step(*given, **named)
        with lock:
            done.append(step)
            if len(done) == most:
                os.kill(os.getpid(), signal.SIGKILL)
    return do

pieces.PIECE = 1000
Wire.put, pieces.Partial.add = counted(Wire.put), counted(pieces.Partial.add)
code = run(sys.argv[1:])
print(len(done), file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True)
class Terminal:
    """A machine of somebody who uses the client, with `folder` for its home."""

    folder: Path

    def gas(self, *arguments: str, typed: str = "") -> str:
        """Run the command to its end, which must be a good one; returns its output."""
        done = self._run([sys.executable, "-m", "gas_client", *arguments], typed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def killed_after(self, steps: int, *arguments: str) -> None:
        """Run the command and kill it after so many parts or pieces."""
        done = self._run([sys.executable, "-c", COUNTED, str(steps), *arguments])
        assert done.returncode == -9, done.stderr

    def steps_of(self, *arguments: str) -> int:
        """Run the command to its end; returns how many parts or pieces it took."""
        done = self._run([sys.executable, "-c", COUNTED, "0", *arguments])
        assert done.returncode == 0, done.stderr
        return int(done.stderr.split()[-1])

    def follow(self, guide: str, **settings: str) -> str:
        """Run the blocks of a document, the shell's and then Python's; returns what they said."""
        text = (ROOT / f"docs/{guide}.md").read_text()
        said = ""
        for language, run in (("sh", ["bash", "-euo", "pipefail"]), ("python", [sys.executable])):
            whole = "\n".join(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL))
            done = self._run([*run, "-c", whole], **settings)
            assert done.returncode == 0, done.stderr
            said += done.stdout
        return said

    def _run(
        self, command: list[str], typed: str = "", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT / "client"),
            **settings,
        }
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def make_token(page: Page) -> str:
    """Make an API token that may do everything, on its page."""
    page.goto("/account/tokens/")
    page.get_by_label("Name").fill("terminal")
    for box in page.get_by_role("group", name="It may").get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Make the token").click()
    return page.locator("#secret").inner_text()
