"""python -m annotator bundle install|verify|list|use-vep|use-csq"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from annotator import bundles, bundles_manifest, vep_cache
from annotator.bundles_install import copy, install
from annotator.download import Progress
from annotator.errors import AnnotatorFailed

REDRAW_SECONDS = 0.2
MEBIBYTE = 1 << 20
EXAMPLES = """examples:
  python -m annotator bundle list references/
  python -m annotator bundle install grch38-ensembl115 --into references/

Each command has a --help of its own. Exit status: 0 done; 64 a wrong command line; 70 it could not
be done, and stderr says why in a sentence; 130 stopped by Ctrl-C.
"""
INSTALL_EXAMPLES = """examples:
  python -m annotator bundle install grch38-ensembl115 --into references/
  python -m annotator bundle install grch38-ensembl115 --into references/ --sources clinvar,dbsnp
  python -m annotator bundle install mine.json --into references/
  python -m annotator bundle install --from /media/disk/grch38-ensembl115 --into references/

Prints the folder of the bundle. Stopped, it goes on where it was when it is called again. Every
file is checked; nothing is to be seen under the bundle's name before all of it is right.
"""
VERIFY_EXAMPLES = """example:
  python -m annotator bundle verify references/grch38-ensembl115

Exit status: 0 every file is what it was; 70 one is not, and stderr names it.
"""
LIST_EXAMPLES = """examples:
  python -m annotator bundle list references/
  python -m annotator bundle list references/ --json

Columns: id, assembly, genes, sources, engine, folder. Manifests that come with the program are
listed too.
"""
USE_VEP_EXAMPLES = """example:
  python -m annotator bundle use-vep references/grch38-ensembl115 --cache vep/115_GRCh38_ensembl

The cache must be whole, and of the bundle's assembly; it is linked, not copied. vepyr itself is
installed by requirements-vep.txt.
"""
USE_CSQ_EXAMPLES = """example:
  python -m annotator bundle use-csq references/grch38-ensembl115
"""
Say = Callable[[str], None]
Row = dict[str, Any]
P = TypeVar("P", bound=argparse.ArgumentParser)


def add_to(commands: "argparse._SubParsersAction[P]") -> None:
    """Add `bundle` and its own commands to the program."""
    words = "install, verify and list reference bundles"
    bundle = commands.add_parser("bundle", help=words, description=words, **_with(EXAMPLES))
    verbs = bundle.add_subparsers(required=True, metavar="COMMAND")
    words = "fetch and prepare a bundle, or copy one"
    _add_install(verbs.add_parser("install", help=words, **_with(INSTALL_EXAMPLES)))
    words = "compare every file of a bundle with its checksum"
    verify = verbs.add_parser("verify", help=words, **_with(VERIFY_EXAMPLES))
    verify.add_argument("folder", type=Path, metavar="DIR", help="an installed bundle")
    verify.set_defaults(command=_verify)
    _add_engines(verbs)
    words = "show the bundles of a folder, and the manifests"
    listing = verbs.add_parser("list", help=words, **_with(LIST_EXAMPLES))
    listing.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        nargs="?",
        default=bundles.SHIPPED,
        help="where bundles are installed (default: what comes with the program)",
    )
    listing.add_argument("--json", action="store_true", help="tell them as JSON")
    listing.set_defaults(command=_list)


def _with(examples: str) -> dict[str, Any]:
    return {"epilog": examples, "formatter_class": argparse.RawDescriptionHelpFormatter}


def _add_install(parser: argparse.ArgumentParser) -> None:
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument(
        "manifest", metavar="MANIFEST", nargs="?", help="a file, or the name of a shipped manifest"
    )
    origin.add_argument(
        "--from", type=Path, dest="installed", metavar="DIR", help="copy this installed bundle"
    )
    parser.add_argument(
        "--into", type=Path, required=True, metavar="DIR", help="the bundle becomes DIR/ID"
    )
    parser.add_argument(
        "--sources",
        type=lambda names: [name for name in names.split(",") if name],
        metavar="A,B",
        help="the sources to take, or '' for none (default: those the manifest takes)",
    )
    parser.set_defaults(command=_install)


def _add_engines(verbs: "argparse._SubParsersAction[P]") -> None:
    words = "annotate with a VEP cache, by vepyr"
    vep = verbs.add_parser("use-vep", help=words, **_with(USE_VEP_EXAMPLES))
    vep.add_argument("folder", type=Path, metavar="DIR", help="an installed bundle")
    vep.add_argument(
        "--cache", type=Path, required=True, metavar="CACHE", help="a folder that vepyr built"
    )
    vep.set_defaults(command=_use_vep)
    words = "annotate with the bundle's genes again"
    csq = verbs.add_parser("use-csq", help=words, **_with(USE_CSQ_EXAMPLES))
    csq.add_argument("folder", type=Path, metavar="DIR", help="an installed bundle")
    csq.set_defaults(command=_use_csq)


def _use_vep(options: argparse.Namespace, say: Say) -> None:
    bundle = vep_cache.attach(options.folder, options.cache, _progress())
    say(f"{bundle.id}: annotated by vepyr with {options.cache}")


def _use_csq(options: argparse.Namespace, say: Say) -> None:
    say(f"{vep_cache.detach(options.folder).id}: annotated by bcftools csq")


def _install(options: argparse.Namespace, say: Say) -> None:
    if options.installed:
        say(str(copy(options.installed, options.into)))
        return
    manifest = bundles_manifest.read(options.manifest)
    progress = _progress()
    folder = install(manifest, options.into, sources=options.sources, progress=progress)
    if isinstance(progress, Bar):
        sys.stderr.write("\n")
    say(str(folder))


def _verify(options: argparse.Namespace, say: Say) -> None:
    bundle = bundles.load(options.folder)
    if wrong := bundles.wrong_files(bundle):
        raise AnnotatorFailed(f"{bundle.id} is not what it was: {', '.join(wrong)}")
    say(f"{bundle.id}: {len(bundle.files)} files are what they should be")


def _list(options: argparse.Namespace, say: Say) -> None:
    if not options.folder.is_dir():
        raise AnnotatorFailed(f"{options.folder} is no folder")
    rows = [_installed(folder) for folder in bundles.folders(options.folder)]
    rows += [_offered(name) for name in bundles_manifest.shipped()]
    if options.json:
        say(json.dumps(rows, indent=1))
        return
    for row in rows:
        cells = row | {"sources": ", ".join(row["sources"]) or "no sources"}
        say("\t".join(cells.values()))


def _installed(folder: Path) -> Row:
    try:
        bundle = bundles.load(folder)
    except AnnotatorFailed as failure:
        return _row(folder.name, "?", "?", [], "?", f"broken: {failure}")
    sources = [f"{source.name} {source.release}" for source in bundle.sources]
    engine = f"VEP {bundle.vep.version}" if bundle.vep else "csq"
    return _row(bundle.id, bundle.assembly, bundle.genes, sources, engine, str(folder))


def _offered(name: str) -> Row:
    manifest = bundles_manifest.read(name)
    sources = [source.name for source in manifest.sources]
    return _row(name, manifest.assembly, manifest.genes_release, sources, "csq", "to be installed")


def _row(name: str, assembly: str, genes: str, sources: list[str], engine: str, folder: str) -> Row:
    return {
        "id": name,
        "assembly": assembly,
        "genes": genes,
        "sources": sources,
        "engine": engine,
        "folder": folder,
    }


def _progress() -> Progress:
    return Bar() if sys.stderr.isatty() else _silent


class Bar:
    """One line on the terminal, redrawn a few times a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._name, self._drawn = clock, "", 0.0

    def __call__(self, name: str, done: int, total: int | None) -> None:
        now, ended = self._clock(), done == total
        if name == self._name and not ended and now - self._drawn < REDRAW_SECONDS:
            return
        lead = "\n" if self._name and name != self._name else "\r"
        share = f"{100 * done // total:3d} % of {total / MEBIBYTE:,.1f} MiB" if total else ""
        amount = share or (f"{done / MEBIBYTE:,.1f} MiB" if done else "")
        sys.stderr.write(f"{lead}{name} {amount}\x1b[K")
        sys.stderr.flush()
        self._name, self._drawn = name, now


def _silent(name: str, done: int, total: int | None) -> None:
    """Draw nothing where nobody looks."""
