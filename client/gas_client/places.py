"""What the client finds in its environment, and where it keeps what it must remember.

Folders are those of XDG, and files are for their owner alone.

https://specifications.freedesktop.org/basedir-spec/latest/
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from gas_client.errors import FileTrouble

#: Bits of a file's mode that let others than its owner in.
OTHERS = 0o077


def variable(name: str) -> str:
    """Return a variable of the environment, nothing without it."""
    return os.environ.get(name, "").strip()


def config_folder() -> Path:
    """Return the folder of addresses and tokens."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def state_folder() -> Path:
    """Return the folder of what is under way."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def _xdg(name: str, usual: str) -> Path:
    chosen = Path(variable(name))
    return (chosen if chosen.is_absolute() else Path.home() / usual) / "gas"


def write_private(path: Path, content: Any) -> None:
    """Replace a file by JSON that its owner alone can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".new", delete=False) as file:
        written = Path(file.name)  # made with mode 0600
        try:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise


def read_private(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file, an empty one without the file; FileTrouble if it is odd."""
    try:
        if os.name == "posix" and path.stat().st_mode & OTHERS:
            raise FileTrouble(f"Others can read {path}: run chmod 600 on it, and make a new token.")
        read = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise FileTrouble(f"{path} is damaged; remove it and sign in again.") from error
    if not isinstance(read, dict):
        raise FileTrouble(f"{path} holds something else; remove it and sign in again.")
    return read
