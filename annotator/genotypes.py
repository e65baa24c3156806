"""Genotypes that name an allele which their record does not have (VCF 4.4, section 1.6.2).

GT is the first field of a sample where there is one, which is what the specification asks for.
"""

import re

import pyarrow as pa
import pyarrow.compute as pc

from annotator.errors import InputRefused

_ALT, _FORMAT = 4, 8
_INDEX = re.compile(rb"[0-9]+")
_DIGITS, _SHOWN = 10, 40
# FORMAT, then any samples, then a sample's first field up to the index of an allele.
_WITHIN = "^GT(?::[^\t]*)?\t(?:.*\t)?(?:[^:\t]*[/|])?0*"
_ABOVE_ONE = _WITHIN + "(?:[2-9]|[1-9][0-9])"
_ABOVE_ZERO = _WITHIN + "[1-9]"


def check(number: int, line: bytes) -> None:
    """Raise InputRefused when a record line has a genotype with an allele beyond its ALT column."""
    columns = line.split(b"\t")
    if len(columns) <= _FORMAT + 1 or columns[_FORMAT].split(b":", 1)[0] != b"GT":
        return
    last = 0 if columns[_ALT] == b"." else columns[_ALT].count(b",") + 1
    genotypes = dict.fromkeys(cell.partition(b":")[0] for cell in columns[_FORMAT + 1 :])
    for genotype in genotypes:
        if any(int(index.lstrip(b"0")[:_DIGITS] or 0) > last for index in _INDEX.findall(genotype)):
            shown = genotype[:_SHOWN].decode(errors="replace")
            raise InputRefused(f"line {number}: GT '{shown}' names an allele that is not in ALT.")


def some_out_of_range(alts: pa.Array, samples: pa.Array) -> bool:
    """Tell whether a genotype names too high an allele, where ALT is no list.

    `samples` are FORMAT and all samples of each record.
    """
    high = pc.match_substring_regex(samples, pattern=_ABOVE_ONE)
    if _is_true(high) and _is_true(pc.and_not(high, pc.match_substring(alts, ","))):
        return True
    without = pc.equal(alts, pa.scalar(b".", pa.binary()))
    if not _is_true(without):
        return False
    return _is_true(pc.and_(without, pc.match_substring_regex(samples, pattern=_ABOVE_ZERO)))


def _is_true(where: pa.Array) -> bool:
    return bool(pc.any(where, min_count=0).as_py())
