"""Genotypes that name an allele which their record does not have (VCF 4.4, section 1.6.2).

GT should be the first field of a sample, but htslib finds it at any place, and so do we.
"""

import re
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from annotator.columns import ALT, FORMAT, SAMPLES, before, binary, text_of
from annotator.errors import InputRefused

_ALT, _FORMAT = 4, 8
_GT, _LATE = b"GT", ":GT(:|$)"
_INDEX = re.compile(rb"[0-9]+")
_NUMBER = re.compile(r"[0-9]{1,10}")
_DIGITS, _SHOWN = 10, 40


def check(number: int, line: bytes) -> None:
    """Raise InputRefused when a record line has a genotype with an allele beyond its ALT column."""
    columns = line.split(b"\t")
    if len(columns) <= _FORMAT + 1 or _GT not in columns[_FORMAT].split(b":"):
        return
    last = 0 if columns[_ALT] == b"." else columns[_ALT].count(b",") + 1
    genotypes = dict.fromkeys(_genotypes(columns[_FORMAT], columns[_FORMAT + 1 :]))
    for genotype in genotypes:
        if any(int(index.lstrip(b"0")[:_DIGITS] or 0) > last for index in _INDEX.findall(genotype)):
            shown = genotype[:_SHOWN].decode(errors="replace")
            raise InputRefused(f"line {number}: GT '{shown}' names an allele that is not in ALT.")


def told(columns: list[pa.Array]) -> pa.Array:
    """Return the genotype of one sample, or of many how often each occurs: 0/0=97,0/1=3."""
    if len(columns) <= SAMPLES:
        return pa.nulls(len(columns[ALT]), pa.string())
    shape, samples = columns[FORMAT], columns[SAMPLES]
    there = pc.or_(pc.equal(shape, binary(_GT)), pc.starts_with(shape, pattern="GT:"))
    if there.false_count:
        late = pc.and_not(pc.match_substring_regex(shape, pattern=_LATE), there)
        samples, there = _without_others(shape, samples, late), pc.or_(there, late)
    if b"\t" in samples[0].as_py():
        found = pa.array([_tally(cells) for cells in samples.to_pylist()], pa.string())
    else:
        found = text_of(before(samples, ":"))
    return pc.if_else(pc.and_(there, pc.not_equal(found, ".")), found, None)


def some_out_of_range(alts: pa.Array, infos: pa.Array, genotypes: pa.Array) -> bool:
    """Tell whether a genotype, as `told`, names an allele beyond its record's ALT column.

    An ALT that was empty is a dot by now, but has a flag.
    """
    coded = genotypes.dictionary_encode()
    highest = [_highest(genotype) for genotype in coded.dictionary.to_pylist()]
    none = pc.equal(alts, binary(b"."))
    if max(highest, default=0) <= (0 if none.true_count else 1):
        return False
    last = pc.add(pc.count_substring(alts, ","), 1)
    last = pc.if_else(pc.and_not(none, pc.match_substring(infos, "GAS_SKIP=")), 0, last)
    high = pa.array(highest, pa.int64()).take(coded.indices)
    return bool(pc.greater(high, last).true_count)


def _without_others(shape: pa.Array, samples: pa.Array, late: pa.Array) -> pa.Array:
    """Leave of those samples the genotypes alone."""
    pairs = zip(shape.filter(late).to_pylist(), samples.filter(late).to_pylist(), strict=True)
    found = [b"\t".join(_genotypes(one, cells.split(b"\t"))) for one, cells in pairs]
    return pc.replace_with_mask(samples, late, pa.array(found, pa.binary()))


def _genotypes(shape: bytes, samples: list[bytes]) -> list[bytes]:
    """Return the genotype of each sample; a dot where its fields end before."""
    at = shape.split(b":").index(_GT)
    fields = (sample.split(b":", at + 1) for sample in samples)
    return [cells[at] if cells[at:] else b"." for cells in fields]


def _tally(samples: bytes) -> str:
    found = Counter([cell.partition(b":")[0] for cell in samples.split(b"\t")])
    return ",".join(f"{gt.decode(errors='replace')}={n}" for gt, n in found.most_common())


def _highest(genotype: str) -> int:
    """Return the highest index of an allele, as far as it counts here, in what `told` told."""
    indexes = (one.partition("=")[0] for one in genotype.split(","))
    return max((int(i) for one in indexes for i in _NUMBER.findall(one)), default=0)
