"""python -m annotator verify-provenance FILE [--key PUBLIC] [--rerun INPUT --bundle DIR]"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from annotator import __version__, bundles, child, signing
from annotator.checksums import digest
from annotator.errors import InputRefused

WALL_SECONDS = 6 * 3600
MEMORY_MB = 2048
LOG = "annotation.log"  # its first line tells the walls of the machine
P = TypeVar("P", bound=argparse.ArgumentParser)
Say = Callable[[str], None]


def add_to(commands: "argparse._SubParsersAction[P]") -> None:
    """Add `verify-provenance` and `sign-provenance` to the program."""
    verify = commands.add_parser(
        "verify-provenance", help="check a provenance.json and the results beside it"
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="a provenance.json")
    verify.add_argument(
        "--key", type=Path, metavar="PUBLIC", help="the PEM of the key that must have signed it"
    )
    verify.add_argument(
        "--rerun", type=Path, metavar="INPUT", help="annotate INPUT again and compare the bytes"
    )
    verify.add_argument("--bundle", type=Path, default=bundles.DEMO, metavar="DIR")
    verify.set_defaults(command=_verify)
    sign = commands.add_parser("sign-provenance", help="sign a provenance.json in its place")
    sign.add_argument("file", type=Path, metavar="FILE", help="a provenance.json")
    sign.add_argument("--key", type=Path, required=True, metavar="PRIVATE", help="its PEM")
    sign.set_defaults(command=_sign)


def _sign(options: argparse.Namespace, _say: Say) -> None:
    signing.sign(options.file, options.key)


def _verify(options: argparse.Namespace, say: Say) -> None:
    document = _read(options.file)
    say(_signature(document, signing.public_key(options.key) if options.key else None))
    outputs = _outputs(document)
    for name in outputs:
        _compare(options.file.parent / name, outputs[name])
    say(f"results: {len(outputs)} files are what they were")
    if options.rerun:
        _check_rerun(document, options)
        say(f"re-run: annotator {__version__} makes the same bytes again")


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputRefused(f"{file} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise InputRefused(f"{file} is not a provenance document.")
    return document


def _signature(document: dict[str, Any], wanted: str | None) -> str:
    found = signing.signer(document)
    if wanted and found != wanted:
        raise InputRefused("It was not signed with that key." if found else "It is not signed.")
    if found is None:
        return "signature: none"
    return f"signature: holds, by {'that key' if wanted else 'the key ' + found}"


def _outputs(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    outputs = document.get("outputs")
    if not isinstance(outputs, dict) or not outputs:
        raise InputRefused("It names no results.")
    for name, told in outputs.items():
        if (
            Path(name).name != name
            or name in ("", "..")
            or not isinstance(told, dict)
            or "sha256" not in told
        ):
            raise InputRefused(f"It does not name a result of its folder: {name!r}.")
    return outputs


def _compare(file: Path, told: dict[str, Any]) -> None:
    if not file.is_file():
        raise InputRefused(f"{file.name} is missing.")
    if digest(file) != told["sha256"]:
        raise InputRefused(f"{file.name} is not what it was.")


def _check_rerun(document: dict[str, Any], options: argparse.Namespace) -> None:
    if digest(options.rerun) != document["input"]["sha256"]:
        raise InputRefused(f"{options.rerun} is not the file that was annotated.")
    if bundles.load(options.bundle).files != document["bundle"]["files"]:
        raise InputRefused(f"{options.bundle} is not the reference {document['bundle']['id']}.")
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder, "again")
        child.run(
            options.rerun,
            again,
            bundle=options.bundle,
            wall_seconds=WALL_SECONDS,
            memory_mb=MEMORY_MB,
        )
        for name, told in _outputs(document).items():
            if name == LOG:
                _compare_logs(options.file.parent / name, again / name)
            else:
                _compare_again(again / name, told)


def _compare_again(file: Path, told: dict[str, Any]) -> None:
    if not file.is_file() or digest(file) != told["sha256"]:
        raise InputRefused(f"{file.name} comes out differently now.")


def _compare_logs(before: Path, after: Path) -> None:
    if _without_walls(before) != _without_walls(after):
        raise InputRefused(f"{before.name} comes out differently now.")


def _without_walls(log: Path) -> str:
    return log.read_text(encoding="utf-8").partition("\n")[2]
