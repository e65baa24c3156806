"""The annotator's child and the mail service, as far as the tasks see them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from annotator.progress import OnProgress
from annotator.sandbox import Sandbox
from gas.models import Notice, ResultFile
from gas.webhooks.sending import Answer
from tests.seams.fate import Fate

RECORDS = 7


class FakeChild:
    """Annotates by copying; `fault` ends a run, `meanwhile` and `spoil` happen in and after it."""

    def __init__(self, fate: Fate) -> None:
        self.runs = 0
        self.bundles: list[Path] = []
        self.correlations: list[str] = []
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
        correlation: str,
        on_tick: Callable[[], None],
        on_progress: OnProgress,
    ) -> None:
        self._fate.step("child.run")
        self.runs += 1
        self.bundles.append(bundle)
        self.correlations.append(correlation)
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


class Receiver:
    """Whoever is called by webhooks: it keeps what came, and answers what it is told to."""

    def __init__(self, fate: Fate) -> None:
        self.came: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answer = Answer(204, "")
        self.meanwhile: Callable[[], object] = lambda: None
        self._fate = fate

    def post(self, url: str, *, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
        self._fate.step("webhook.post")
        self.came.append((headers, json.loads(body)))
        self.meanwhile()
        return self.answer

    @property
    def events(self) -> list[str]:
        """What it was called for, in order."""
        return [told["type"] for _, told in self.came]
