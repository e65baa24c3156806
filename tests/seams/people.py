"""The annotator's child and the mail service, as far as the tasks see them."""

import json
from collections.abc import Callable
from pathlib import Path

from annotator.progress import OnProgress
from annotator.sandbox import Sandbox
from gas.models import Notice, ResultFile
from tests.seams.fate import Fate

RECORDS = 7


class FakeChild:
    """Annotates by copying; `fault` ends a run, `meanwhile` and `spoil` happen in and after it."""

    def __init__(self, fate: Fate) -> None:
        self.runs = 0
        self.bundles: list[Path] = []
        self.fault: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.spoil: Callable[[Path], object] = lambda outdir: None
        self._fate = fate

    def run(
        self,
        source: Path,
        outdir: Path,
        *,
        bundle: Path,
        wall_seconds: int,
        memory_mb: int,
        sandbox: Sandbox,
        key: Path | None,
        workers: int,
        on_tick: Callable[[], None],
        on_progress: OnProgress,
    ) -> None:
        self._fate.step("child.run")
        self.runs += 1
        self.bundles.append(bundle)
        on_progress("annotate", 0.25)
        self.meanwhile()
        on_tick()
        if self.fault:
            raise self.fault
        for name in ResultFile.NAMES.values():
            (outdir / name).write_bytes(name.encode() + b" of " + source.read_bytes())
        (outdir / "summary.json").write_text(json.dumps({"records_in": RECORDS}))
        self.spoil(outdir)


class Postbox:
    """The mails that were sent, by kind."""

    def __init__(self, fate: Fate) -> None:
        self.sent: list[str] = []
        self.fault: Exception | None = None
        self._fate = fate

    def send(self, notice: Notice) -> None:
        self._fate.step("mail.send")
        if self.fault:
            raise self.fault
        self.sent.append(notice.kind)
