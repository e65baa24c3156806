"""Mutated files: each is annotated whole or refused with a sentence, and nothing is left behind.

`FUZZ=20000 python -m pytest tests/conformance/test_fuzz.py` tries that many; a failure names its
seed, and `FUZZ_SEED=` starts there.
"""

import gzip
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

from annotator.bundles import DEMO
from annotator.errors import InputRefused
from annotator.run import RESULTS, annotate

COUNT = int(os.environ.get("FUZZ", "60"))
FIRST = int(os.environ.get("FUZZ_SEED", "0"))
EXAMPLE = (DEMO / "example.vcf").read_bytes()
CELLS = (
    *(b"chr16", b"chrM", b"1", b"0", b"-1", b"99999999999", b".", b"", b"A", b"T,<DEL>", b"*"),
    *(b"GT", b"0/9", b"1|", b"A[chrM:3[", b"DP=1;DP=2", b"=cmd()", b"\xff\xfe", b"\r", b"PASS"),
)
HEADERS = (
    b'##INFO=<ID=DP,Number=A,Type=Integer,Description="x">\n',
    b"##contig=<ID=chr16,length=5>\n",
    b'##FORMAT=<ID=GT,Number=R,Type=Float,Description="x">\n',
    b"##INFO=<ID=,Number=\n",
    b"##\n",
    b"#CHROM\tPOS\n",
    b'{"htsget": {}}\n',
)


def flip(dice: random.Random, content: bytes) -> bytes:
    """Change some bits."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 8)):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def cut(dice: random.Random, content: bytes) -> bytes:
    """Take away the end, or a piece of the middle."""
    first = dice.randrange(len(content))
    last = dice.choice((len(content), dice.randint(first, len(content))))
    return content[:first] + content[last:]


def splice(dice: random.Random, content: bytes) -> bytes:
    """Put header lines where they do or do not belong."""
    lines = content.splitlines(keepends=True)
    for _ in range(dice.randint(1, 3)):
        lines.insert(dice.randrange(len(lines)), dice.choice(HEADERS))
    return b"".join(lines)


def grammar(dice: random.Random, content: bytes) -> bytes:
    """Write records of cells that may each be right or wrong."""
    head = content[: content.index(b"#CHROM")] + b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    samples = dice.randint(0, 2)
    head += b"".join(b"\tFORMAT" if at == 0 else b"\tS%d" % at for at in range(samples + 1)) + b"\n"
    plain = [b"chrM", b"3", b".", b"T", b"C", b".", b".", b".", b"GT", b"0/1", b"1/1"][
        : 9 + samples
    ]
    rows = []
    for _ in range(dice.randint(1, 12)):
        cells = [dice.choice(CELLS) if dice.random() < 0.1 else cell for cell in plain]
        rows.append(b"\t".join(cells) + b"\n")
    return head + b"".join(rows)


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (flip, cut, splice, grammar)


@pytest.fixture(scope="module")
def bcf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The example as BCF."""
    folder = tmp_path_factory.mktemp("bcf")
    text = EXAMPLE.replace(b"#CHROM", b"##contig=<ID=chr16>\n##contig=<ID=chrM>\n#CHROM")
    (folder / "text.vcf").write_bytes(text)
    target = folder / "example.bcf"
    pysam.bcftools.view("-Ob", "-o", str(target), str(folder / "text.vcf"), catch_stdout=False)
    return target.read_bytes()


def mutated(seed: int, bcf: bytes) -> bytes:
    """Return the file of a seed: a mutated text, packed or not, or a mutated package."""
    dice = random.Random(seed)
    kind = dice.randrange(4)
    if kind == 0:
        return dice.choice((flip, cut))(dice, bcf)
    if kind == 1:
        return dice.choice((flip, cut))(dice, gzip.compress(EXAMPLE, mtime=0))
    text = dice.choice(MUTATIONS)(dice, EXAMPLE)
    return gzip.compress(text, mtime=0) if kind == 2 else text


def sentence_or_none(source: Path, outdir: Path) -> str | None:
    """Annotate; return the refusal."""
    try:
        annotate(source, outdir, DEMO)
    except InputRefused as refusal:
        return str(refusal)
    return None


def test_mutated_files_are_annotated_whole_or_refused(tmp_path: Path, bcf: bytes) -> None:
    source, outdir = tmp_path / "input", tmp_path / "out"
    refused = 0
    for seed in range(FIRST, FIRST + COUNT):
        source.write_bytes(mutated(seed, bcf))
        sentence = sentence_or_none(source, outdir)
        if sentence is None:
            assert {path.name for path in outdir.iterdir()} == set(RESULTS), f"seed {seed}"
            shutil.rmtree(outdir)
        else:
            refused += 1
            assert sentence.endswith("."), f"seed {seed}: {sentence}"
            assert "\n" not in sentence, f"seed {seed}: {sentence}"
        assert list(tmp_path.iterdir()) == [source], f"seed {seed}"
    assert 0 < refused < COUNT
