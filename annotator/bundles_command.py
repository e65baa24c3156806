"""python -m annotator bundle install|verify|list|use-vep|use-csq"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from annotator import bundles, bundles_manifest, vep_cache
from annotator.bundles_install import copy, install
from annotator.download import Progress
from annotator.errors import AnnotatorFailed

REDRAW_SECONDS = 0.2
MEBIBYTE = 1 << 20
Say = Callable[[str], None]


P = TypeVar("P", bound=argparse.ArgumentParser)


def add_to(commands: "argparse._SubParsersAction[P]") -> None:
    """Add `bundle` and its own commands to the program."""
    bundle = commands.add_parser("bundle", help="install, verify and list reference bundles")
    verbs = bundle.add_subparsers(required=True)
    _add_install(verbs.add_parser("install", help="fetch and prepare a bundle, or copy one"))
    verify = verbs.add_parser("verify", help="compare every file of a bundle with its checksum")
    verify.add_argument("folder", type=Path, metavar="DIR", help="an installed bundle")
    verify.set_defaults(command=_verify)
    _add_engines(verbs)
    listing = verbs.add_parser("list", help="show the bundles of a folder, and the manifests")
    listing.add_argument("folder", type=Path, metavar="DIR", nargs="?", default=bundles.SHIPPED)
    listing.set_defaults(command=_list)


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
    vep = verbs.add_parser("use-vep", help="annotate with a VEP cache, by vepyr")
    vep.add_argument("folder", type=Path, metavar="DIR", help="an installed bundle")
    vep.add_argument(
        "--cache", type=Path, required=True, metavar="CACHE", help="a folder that vepyr built"
    )
    vep.set_defaults(command=_use_vep)
    csq = verbs.add_parser("use-csq", help="annotate with the bundle's genes again")
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
    say(str(install(manifest, options.into, sources=options.sources, progress=_progress())))


def _verify(options: argparse.Namespace, say: Say) -> None:
    bundle = bundles.load(options.folder)
    if wrong := bundles.wrong_files(bundle):
        raise AnnotatorFailed(f"{bundle.id} is not what it was: {', '.join(wrong)}")
    say(f"{bundle.id}: {len(bundle.files)} files are what they should be")


def _list(options: argparse.Namespace, say: Say) -> None:
    for folder in bundles.folders(options.folder):
        bundle = bundles.load(folder)
        sources = ", ".join(f"{source.name} {source.release}" for source in bundle.sources)
        say(f"{bundle.id}\t{bundle.assembly}\t{bundle.genes}\t{sources or 'no sources'}\t{folder}")
    for name in bundles_manifest.shipped():
        manifest = bundles_manifest.read(name)
        sources = ", ".join(source.name for source in manifest.sources)
        say(f"{name}\t{manifest.assembly}\t{manifest.genes_release}\t{sources}\tto be installed")


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
