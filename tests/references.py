"""A server with two references: the usual one, and one of another assembly beside it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from annotator import bundles
from gas.services import reference


@contextmanager
def two_references(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install `usual` (GRCh38) and `older` (GRCh37), and one that is broken."""
    for name, assembly in (("usual", "GRCh38"), ("older", "GRCh37")):
        copied = shutil.copytree(bundles.DEMO, folder / name)
        manifest = json.loads((copied / "bundle.json").read_text())
        source = {"name": "ClinVar", "release": "2026-01-05", "path": "genome.fa.gz", "columns": {}}
        manifest |= {"id": name, "assembly": assembly, "sources": [source]}
        (copied / "bundle.json").write_text(json.dumps(manifest))
    (folder / "broken").mkdir()
    (folder / "broken/bundle.json").write_text("{}")
    patch.setattr(settings, "BUNDLE", folder / "usual")
    _forget()
    yield
    _forget()


def _forget() -> None:
    for cached in (reference.in_use, reference.installed):
        cached.cache_clear()
