"""Calls that may have reached the service although no answer came back.

Before something is made, its idempotency key is written down, and taken away once the service has
answered. Who repeats a broken call therefore repeats its key, and gets what the first one made; who
asks for the same thing again after an answer gets another one.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gas_client.errors import FileTrouble
from gas_client.places import read_private, state_folder, write_private

#: Seconds for which a broken call is worth repeating, as long as the service knows its key.
KEPT = 48 * 3600.0


@dataclass(frozen=True)
class Call:
    """A call under way: its idempotency key, and the upload that it is about once that exists."""

    name: str
    key: str
    upload: str = ""


class Journal:
    """A folder with a file for each call under way."""

    def __init__(
        self, folder: Path | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.folder = (folder or state_folder()) / "unfinished"
        self._clock = clock

    def begin(self, *what: str | int) -> Call:
        """Return the call about this, as it was begun before or new."""
        name = hashlib.sha256(json.dumps(what).encode()).hexdigest()
        if kept := self._kept(name):
            return kept
        self._clean()
        call = Call(name, str(uuid.uuid4()))
        self._write(call)
        return call

    def note(self, call: Call, *, upload: str) -> Call:
        """Write down which upload the call is about."""
        noted = Call(call.name, call.key, upload)
        if noted != call:
            self._write(noted)
        return noted

    def end(self, call: Call) -> None:
        """Forget a call that was answered."""
        self._file(call.name).unlink(missing_ok=True)

    def _clean(self) -> None:
        """Take away calls that nobody repeated in time."""
        for file in self.folder.glob("*.json"):
            if self._clock() - file.stat().st_mtime > KEPT:
                file.unlink(missing_ok=True)

    def _kept(self, name: str) -> Call | None:
        """Return what was written down lately; nothing of a file that is damaged."""
        try:
            kept = read_private(self._file(name))
            if self._clock() - float(kept["at"]) < KEPT:
                return Call(name, str(uuid.UUID(kept["key"])), str(kept["upload"]))
        except (FileTrouble, KeyError, TypeError, ValueError):
            pass
        return None

    def _write(self, call: Call) -> None:
        told = {"key": call.key, "upload": call.upload, "at": self._clock()}
        write_private(self._file(call.name), told)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"
