"""python -m annotator verify-provenance FILE [--key PUBLIC] [--rerun INPUT --bundle DIR]"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from annotator import __version__, bundles, child, signing
from annotator.checksums import digest
from annotator.errors import AnnotatorFailed, InputRefused
from annotator.progress import as_bar
from annotator.provenance import COMMIT
from annotator.run import PROVENANCE

WALL_SECONDS = 6 * 3600
MEMORY_MB = 2048
LOG = "annotation.log"  # its first line tells the walls of the machine
EXAMPLES = """examples:
  python -m annotator verify-provenance results/provenance.json
  python -m annotator verify-provenance results/provenance.json --key gas.pub
  python -m annotator verify-provenance results/provenance.json --rerun calls.vcf.gz --bundle DIR

Results lie beside it under their own names, or with whatever stands before provenance.json in its
name, as in Trio.provenance.json and Trio.annotated.vcf.gz.

Without --key a signature is checked against the key that the document itself names, which shows
only that nothing was changed by mistake. Whoever runs the service gives its public key away.

Exit status: 0 everything holds; 2 something does not, and stderr says all that does not; 64 a wrong
command line, or a key that cannot be read.
"""
SIGN_EXAMPLE = """example:
  openssl genpkey -algorithm ed25519 -out gas.pem && openssl pkey -in gas.pem -pubout -out gas.pub
  python -m annotator sign-provenance results/provenance.json --key gas.pem
"""
P = TypeVar("P", bound=argparse.ArgumentParser)
Say = Callable[[str], None]
Problems = list[str]


def add_to(commands: "argparse._SubParsersAction[P]") -> None:
    """Add `verify-provenance` and `sign-provenance` to the program."""
    verify = commands.add_parser(
        "verify-provenance",
        help="check a provenance.json and the results beside it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("file", type=Path, metavar="FILE", help="a provenance.json")
    verify.add_argument(
        "--key", type=_key, metavar="PUBLIC", help="the PEM of the key that must have signed it"
    )
    verify.add_argument(
        "--only",
        type=lambda names: names.split(","),
        metavar="A,B",
        help="look at these results alone, if you have no others (annotated.vcf.gz,...)",
    )
    verify.add_argument(
        "--rerun", type=Path, metavar="INPUT", help="annotate INPUT again and compare the bytes"
    )
    verify.add_argument(
        "--bundle",
        type=Path,
        default=bundles.DEMO,
        metavar="DIR",
        help="the reference to annotate on again (default: %(default)s)",
    )
    verify.add_argument("--json", action="store_true", help="tell the findings as JSON on stdout")
    verify.set_defaults(command=_verify)
    sign = commands.add_parser(
        "sign-provenance",
        help="sign a provenance.json in its place",
        epilog=SIGN_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sign.add_argument("file", type=Path, metavar="FILE", help="a provenance.json")
    sign.add_argument("--key", type=Path, required=True, metavar="PRIVATE", help="its PEM")
    sign.set_defaults(command=_sign)


def _key(text: str) -> str:
    try:
        return signing.public_key(Path(text))
    except AnnotatorFailed as failure:
        raise argparse.ArgumentTypeError(str(failure)) from failure


def _sign(options: argparse.Namespace, _say: Say) -> None:
    _read(options.file)
    signing.sign(options.file, options.key)


def _verify(options: argparse.Namespace, say: Say) -> None:
    document = _read(options.file)
    outputs = _asked_for(_outputs(document), options.only)
    lines, problems = _signature(document, options.key)
    changed = [
        problem
        for name in outputs
        if (problem := _changed(_beside(options.file, name), outputs[name]))
    ]
    if not changed:
        lines.append(f"results: {len(outputs)} files are what they were")
    problems += changed
    if options.rerun:
        different = _rerun(document, outputs, options)
        if not different:
            lines.append(f"re-run: annotator {__version__} makes the same bytes again")
        problems += different
    if options.json:
        say(json.dumps({"holds": not problems, "findings": lines, "problems": problems}))
    else:
        for line in lines:
            say(line)
    if problems:
        raise InputRefused(" ".join(problems))


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputRefused(f"{file} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise InputRefused(f"{file} is not a provenance document.")
    return document


def _signature(document: dict[str, Any], wanted: str | None) -> tuple[list[str], Problems]:
    try:
        found = signing.signer(document)
    except InputRefused as refusal:
        return [], [str(refusal)]
    if wanted and found != wanted:
        return [], ["It was not signed with that key." if found else "It is not signed."]
    if wanted:
        return ["signature: holds, by that key"], []
    if found is None:
        return ["signature: none"], []
    return [f"signature: holds, by the key {found}, not compared with one you trust (--key)"], []


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


def _asked_for(
    outputs: dict[str, dict[str, Any]], only: list[str] | None
) -> dict[str, dict[str, Any]]:
    for name in only or ():
        if name not in outputs:
            raise InputRefused(f"It names no result {name!r}; it has {', '.join(outputs)}.")
    return {name: told for name, told in outputs.items() if not only or name in only}


def _beside(provenance: Path, name: str) -> Path:
    """Return where a result lies: downloads have the name of their job before their own."""
    before, own, _ = provenance.name.partition(PROVENANCE)
    return provenance.with_name(before + name if own else name)


def _changed(file: Path, told: dict[str, Any]) -> str | None:
    if not file.is_file():
        return f"{file.name} is missing."
    return None if digest(file) == told["sha256"] else f"{file.name} is not what it was."


def _rerun(
    document: dict[str, Any], outputs: dict[str, dict[str, Any]], options: argparse.Namespace
) -> Problems:
    """Annotate once more and name the results that come out differently."""
    if problem := _unlike(document, options):
        return [problem]
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder, "again")
        child.run(
            options.rerun,
            again,
            bundle=options.bundle,
            wall_seconds=WALL_SECONDS,
            memory_mb=MEMORY_MB,
            on_progress=as_bar if sys.stderr.isatty() else None,
        )
        different = [
            f"{name} comes out differently now."
            for name, told in outputs.items()
            if not _is_same(_beside(options.file, name), again / name, told)
        ]
    return [*different, *_another_annotator(document)] if different else []


def _unlike(document: dict[str, Any], options: argparse.Namespace) -> str | None:
    """Say why a re-run would compare different things."""
    try:
        source, reference = document["input"]["sha256"], document["bundle"]
        name, files = reference["id"], reference["files"]
    except (KeyError, TypeError):
        return "It does not say what was annotated, or on what."
    if not options.rerun.is_file():
        return f"{options.rerun} is not a file."
    if digest(options.rerun) != source:
        return f"{options.rerun} is not the file that was annotated."
    if bundles.load(options.bundle).files != files:
        return f"{options.bundle} is not the reference {name}."
    return None


def _another_annotator(document: dict[str, Any]) -> Problems:
    told = document.get("annotator")
    if told == {"version": __version__, "commit": COMMIT} or not isinstance(told, dict):
        return []
    made = f"{told.get('version')} ({told.get('commit')})"
    return [f"They were made by annotator {made}, this is {__version__} ({COMMIT})."]


def _is_same(before: Path, after: Path, told: dict[str, Any]) -> bool:
    if not after.is_file():
        return False
    if after.name != LOG:
        return bool(digest(after) == told["sha256"])
    return before.is_file() and _without_walls(before) == _without_walls(after)


def _without_walls(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace").partition("\n")[2]
