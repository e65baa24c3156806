"""Hostile files by number: a seed makes the same file for ever, whole or mutated, of every kind."""

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysam
import pysam.bcftools

from annotator.bundles import DEMO

EXAMPLE = (DEMO / "example.vcf").read_bytes()
COLUMNS = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
RICH = b"""##fileformat=VCFv4.4
##FILTER=<ID=q10,Description="low, as they say">
##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##INFO=<ID=DB,Number=0,Type=Flag,Description="known">
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="depths">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="likelihoods">
##contig=<ID=chr16,length=90338345>
##contig=<ID=chrM,length=16569>
##ALT=<ID=DEL,Description="deletion">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA\tB
chr16\t189293\trs1\tG\tA,T\t44.5\tPASS\tDP=44;AF=0.5,0.25;DB\tGT:AD:PL\t0/1:3,4,0:0,1,2,3,4,5\t1/2:.:.
chr16\t190560\t.\tT\tC\t.\tq10\tDP=3;AF=1e-5\tGT:AD\t0|1:3,4\t.:.
chr16\t190562\t.\tG\t<DEL>,T\t9\t.\tEND=190600\tGT\t0/2\t1/1
chrM\t1\tx;y\tG\t*\t.\t.\t.\tGT\t0\t1
chrM\t3400\t.\tC\tG,CA,<NON_REF>\t1e3\tPASS\tAF=.,.,.\tGT:AD\t./.:1\t0/3:1,2,3,4
chrM\t3401\t.\tA\t.\t.\t.\t.\tGT\t0/0\t./.
chrM\t3402\t.\tACT\tA\t.\t.\tDP=.\tGT:PL\t0/1/1:1,2,3\t1:.
"""
CELLS = (
    *(b"chr16", b"chrM", b"1", b"0", b"-1", b"99999999999", b".", b"", b"A", b"T,<DEL>", b"*"),
    *(b"GT", b"0/9", b"1|", b"A[chrM:3[", b"DP=1;DP=2", b"=cmd()", b"\xff\xfe", b"\r", b"PASS"),
    *(b"3400", b"2147483646", b"1e999", b"nan", b"<*>", b",", b";", b":", b"GT:AD", b"0/1:1,2"),
    *(b"AF=0.1", b"DP=x", b"DB=1", b"END=5", b"GAS_SKIP=star", b"BCSQ=a|b", b"ORIG=x|1|A|C|1"),
    *(b"A" * 5000, b"N", b"R", b"acgt", b"q10;q11", b"0|1|2|3", b"#CHROM", b"a b", b"\x1b[1m"),
)
HEADERS = (
    b'##INFO=<ID=DP,Number=A,Type=Integer,Description="x">\n',
    b'##INFO=<ID=AF,Number=G,Type=Flag,Description="x">\n',
    b'##INFO=<ID=GAS_SKIP,Number=0,Type=Flag,Description="x">\n',
    b'##INFO=<ID=ORIG,Number=1,Type=Integer,Description="x">\n',
    b'##INFO=<ID=BCSQ,Number=1,Type=Float,Description="x">\n',
    b'##FORMAT=<ID=GT,Number=R,Type=Float,Description="x">\n',
    b'##FORMAT=<ID=BCSQ,Number=.,Type=Integer,Description="x">\n',
    b'##FORMAT=<ID=GAS_SKIP,Number=1,Type=String,Description="x">\n',
    b'##FILTER=<ID=PASS,Description="x",IDX=3>\n',
    b"##contig=<ID=chr16,length=5>\n",
    b"##contig=<ID=chrM,length=x,IDX=99999999>\n",
    b'##contig=<ID=a,Description="open>\n',
    b"##INFO=<ID=,Number=\n",
    b"##\n",
    b"##fileformat=VCFv4.1\n",
    b"#CHROM\tPOS\n",
    b'{"htsget": {}}\n',
    b"\n",
)

Mutation = Callable[[random.Random, bytes], bytes]


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
    head = next((at for at, line in enumerate(lines) if line.startswith(b"#CHROM")), len(lines))
    for _ in range(dice.randint(1, 3)):
        lines.insert(dice.randrange(dice.choice((head, len(lines))) + 1), dice.choice(HEADERS))
    return b"".join(lines)


def misplace(dice: random.Random, content: bytes) -> bytes:
    """Repeat, drop, swap and join lines."""
    lines = content.splitlines(keepends=True)
    for _ in range(dice.randint(1, 4)):
        one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[one], lines[other] = lines[other], dice.choice((lines[one], b"", lines[other][:-1]))
    return b"".join(lines)


def deface(dice: random.Random, content: bytes) -> bytes:
    """Put odd cells into some records."""
    head, mark, body = content.partition(COLUMNS)
    lines = body.split(b"\n")
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(lines))
        cells = lines[at].split(b"\t")
        cells[dice.randrange(len(cells))] = dice.choice(CELLS)
        lines[at] = b"\t".join(cells)
    return head + mark + b"\n".join(lines)


def grammar(dice: random.Random, content: bytes) -> bytes:
    """Write records of cells that may each be right or wrong."""
    samples = dice.randint(0, 3)
    head = content.partition(COLUMNS)[0] + COLUMNS + b"\tFORMAT" * (samples > 0)
    head += b"".join(b"\tS%d" % at for at in range(samples)) + b"\n"
    rows = []
    for _ in range(dice.randint(1, 12)):
        cells = [b"chrM", b"3", b".", b"T", b"C", b".", b".", b".", b"GT", b"0/1", b"1/1", b"."]
        cells = cells[: 8 + samples + (samples > 0)]
        odd = (dice.choice(CELLS) if dice.random() < 0.1 else cell for cell in cells)
        rows.append(b"\t".join(odd) + b"\n")
    return head + b"".join(rows)


MUTATIONS: tuple[Mutation, ...] = (flip, cut, splice, splice, misplace, *[deface] * 4, grammar)


@dataclass(frozen=True)
class Mutants:
    """The sources, and their BCF, compressed and not."""

    texts: tuple[bytes, ...]
    binaries: tuple[bytes, ...]
    folder: Path

    def __getitem__(self, seed: int) -> bytes:
        """Return the file of a seed: a mutated text, packed or not, or a mutated package."""
        dice = random.Random(seed)
        if dice.random() < 0.2:
            return self._broken_package(dice)
        text = dice.choice(self.texts)
        for _ in range(dice.choice((1, 1, 1, 2))):
            text = dice.choice(MUTATIONS)(dice, text or b"\n")
        return dice.choice((bytes, bytes, packed, self._blocked))(text)

    def _broken_package(self, dice: random.Random) -> bytes:
        text = dice.choice(self.texts)
        packages = (*self.binaries, packed(text), self._blocked(text), packed(packed(text)))
        binary = dice.choice(packages)
        if dice.random() < 0.5:  # break what is inside, so that the checks of the package hold
            return packed(dice.choice((flip, cut))(dice, gzip.decompress(binary)))
        return dice.choice((flip, cut))(dice, binary)

    def _blocked(self, text: bytes) -> bytes:
        plain, target = self.folder / "plain", self.folder / "blocked"
        plain.write_bytes(text)
        pysam.tabix_compress(str(plain), str(target), force=True)
        return target.read_bytes()


def packed(text: bytes) -> bytes:
    """Compress as gzip does, without the time of day."""
    return gzip.compress(text, mtime=0)


def mutants(folder: Path) -> Mutants:
    """Prepare the sources in a folder."""
    declared = b"##contig=<ID=chr16>\n##contig=<ID=chrM>\n" + COLUMNS
    texts = (EXAMPLE.replace(COLUMNS, declared), RICH)
    binaries = []
    for at, text in enumerate(texts):
        (folder / "text.vcf").write_bytes(text)
        for kind in ("-Ob", "-Ou"):
            target = folder / f"{at}{kind}.bcf"
            arguments = (kind, "-o", str(target), str(folder / "text.vcf"))
            pysam.bcftools.view(*arguments, catch_stdout=False)
            binaries.append(target.read_bytes())
    return Mutants((EXAMPLE, RICH), tuple(binaries), folder)
