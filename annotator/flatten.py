"""Adds to a shard's records what was found of their sites, counts them, makes the table's rows.

A record's verdict is what the engine found, or a word of ours where that is nothing. Verdicts
repeat, so each is worked out once and the rest is taking by number.
"""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotator import genotypes
from annotator.alleles import NO_ALT, Reason, unsafe_alt
from annotator.blame import UnreadableError
from annotator.columns import (
    ALT,
    CONTIG,
    FILTER,
    ID,
    INFO,
    POS,
    REF,
    binary,
    ended,
    marked,
    text_in,
    text_of_lines,
    together,
)
from annotator.consequence import INTERGENIC, Effect, worst
from annotator.engines import InfoField
from annotator.known import KnownCounts
from annotator.records import SKIP, Records
from annotator.summary import PREVIEW, Counts
from annotator.table import Rows, rows_of, said_by_sources, unarmed
from annotator.tbi import Places

MEMORY_CAP = 50_000  # distinct verdicts remembered
MEMORY_BYTES = 16 << 20  # of the engine's text among them; what it means takes a few times that
_OURS = b"\0"  # starts a word of ours; no input holds a NUL
_BETWEEN = b""
_REFERENCE = _OURS + b"reference"
_FLAGGED = _OURS + b"flagged "  # by the screen, so that the field stands there already
_FLAG = _OURS + b"flag "


@dataclass(frozen=True)
class Findings:
    """By the number of a site: INFO fields of the sources, and what the engine said; or null."""

    fields: pa.Array
    words: pa.Array


@dataclass(frozen=True)
class Verdict:
    """What becomes of a record: the last fields of its INFO, its consequences, or why it has none.

    The fields are None where it gets no more.
    """

    suffix: bytes | None
    effects: tuple[Effect, ...] = ()
    worst: Effect | None = None
    skipped: str = ""
    terms: tuple[str, ...] = ()  # every term of every effect, in order


@dataclass(frozen=True)
class Flat:
    """A block of records as each output takes it."""

    vcf: memoryview
    rows: Rows
    skipped: memoryview


def _verdict(word: bytes, engine: InfoField) -> Verdict:
    if word == _REFERENCE:
        return Verdict(None)
    if word.startswith(_FLAGGED):
        return Verdict(None, skipped=word.removeprefix(_FLAGGED).decode())
    if word.startswith(_FLAG):
        reason = word.removeprefix(_FLAG)
        return Verdict(SKIP + reason, skipped=reason.decode())
    effects = engine.effects_of(word.decode()) if word else [INTERGENIC]
    chosen, effects = worst(effects), effects or [INTERGENIC]
    terms = tuple(sorted([term for effect in effects for term in effect.terms]))
    theirs = b"%s=%s;" % (engine.tag.encode(), word) if word else b""
    return Verdict(theirs + _fields(chosen), tuple(effects), chosen, terms=terms)


def _fields(effect: Effect) -> bytes:
    fields = [f"GAS_CSQ={effect.consequence}", f"GAS_IMPACT={effect.impact}"]
    fields += [f"GAS_GENE={effect.gene}"] if effect.gene else []
    fields += [f"GAS_TX={effect.transcript}"] if effect.transcript else []
    return ";".join(fields).encode()


@dataclass
class Flattener:
    """Takes blocks of a shard's records, in their order."""

    engine: InfoField
    known: KnownCounts
    found: Findings
    counts: Counts = field(default_factory=Counts)
    places: Places = field(default_factory=Places)
    _known: dict[bytes, Verdict] = field(default_factory=dict)
    _bytes: int = 0

    def block(self, records: Records, sites: pa.Array) -> Flat:
        """Return the block for the outputs, and count it; `sites` are the numbers of its sites."""
        columns = list(records.columns)
        told = {"genotypes": genotypes.told(columns)}
        if genotypes.some_out_of_range(columns[ALT], columns[INFO], told["genotypes"]):
            raise UnreadableError("a genotype names an allele that is not in ALT")
        coded = self._words(columns, sites).dictionary_encode()
        verdicts = self._verdicts(coded.dictionary.to_pylist())
        self._count(columns, coded.indices, verdicts)
        fields = self.found.fields.take(sites)
        if fields.null_count < len(fields):
            told |= self._said(fields)
        effects = [verdict.effects for verdict in verdicts]
        rows = rows_of(columns, coded.indices, effects, told, self.engine.columns)
        skipped = _skipped(columns, coded.indices, verdicts)
        columns[INFO] = _info(columns[INFO], fields, coded.indices, verdicts)
        lines = together(*columns[:-1], ended(columns[-1]))
        self.places.add(columns, pc.binary_length(lines), reaching=records.reaching)
        return Flat(text_in(lines), rows, skipped)

    def _words(self, columns: list[pa.Array], sites: pa.Array) -> pa.Array:
        words = self.found.words.take(sites).fill_null(_BETWEEN)
        if not sites.null_count:
            return words
        odd = pc.is_null(sites)
        cells = (columns[at].filter(odd).to_pylist() for at in (REF, ALT, INFO))
        ours = [_odd_word(*cell) for cell in zip(*cells, strict=True)]
        return pc.replace_with_mask(words, odd, pa.array(ours, pa.binary()))

    def _said(self, fields: pa.Array) -> dict[str, pa.Array]:
        some = marked(fields.drop_null())
        self.known.seen(some)
        return said_by_sources(pc.is_valid(fields), some)

    def _verdicts(self, words: list[bytes]) -> list[Verdict]:
        if len(self._known) > MEMORY_CAP or self._bytes > MEMORY_BYTES:
            self._known.clear()
            self._bytes = 0
        known = self._known
        for word in words:
            if word not in known:
                known[word] = _verdict(word, self.engine)
                self._bytes += len(word)
        return [known[word] for word in words]

    def _count(self, columns: list[pa.Array], numbers: pa.Array, verdicts: list[Verdict]) -> None:
        counts = self.counts
        counts.rows += len(numbers)
        for number, times in _frequencies(numbers):
            verdict = verdicts[number]
            counts.add_verdict(verdict.worst, verdict.skipped, times, verdict.terms)
        for contig, times in _frequencies(columns[CONTIG]):
            counts.contigs[contig.decode(errors="replace")] += times
        for name, times in _frequencies(columns[FILTER]):
            counts.add_filter(name.decode(errors="replace"), times)
        changes = pc.binary_join_element_wise(columns[REF], columns[ALT], binary(b"\t"))
        for change, times in _frequencies(changes):
            ref, _, alt = change.partition(b"\t")
            if alt != NO_ALT:
                counts.add_change(ref, alt, times)
        if len(counts.preview) < PREVIEW:
            counts.preview += _preview(columns, numbers, verdicts, PREVIEW - len(counts.preview))


def _odd_word(ref: bytes, alt: bytes, info: bytes) -> bytes:
    if (b";" + info).find(b";" + SKIP) >= 0:
        return _FLAGGED + info.rpartition(SKIP)[2]
    if alt == NO_ALT:
        return _REFERENCE
    return _FLAG + (unsafe_alt(alt) or Reason.MALFORMED).encode()


def _info(info: pa.Array, fields: pa.Array, numbers: pa.Array, verdicts: list[Verdict]) -> pa.Array:
    suffixes = pa.array([verdict.suffix for verdict in verdicts], pa.binary()).take(numbers)
    more = pc.or_(pc.is_valid(suffixes), pc.is_valid(fields))
    replaced = pc.and_(pc.equal(info, binary(b".")), more)
    parts = [pc.if_else(replaced, None, info) if replaced.true_count else info]
    parts += [fields] if fields.null_count < len(fields) else []
    return pc.binary_join_element_wise(*parts, suffixes, binary(b";"), null_handling="skip")


def _skipped(columns: list[pa.Array], numbers: pa.Array, verdicts: list[Verdict]) -> memoryview:
    reasons = pa.array([verdict.skipped.encode() or None for verdict in verdicts], pa.binary())
    if reasons.null_count == len(reasons):
        return memoryview(b"")
    reason = reasons.take(numbers)
    skipped = pc.is_valid(reason)
    cells = [columns[at].filter(skipped) for at in (CONTIG, POS, ID, REF, ALT)]
    return text_of_lines(*map(unarmed, cells), ended(reason.filter(skipped)))


def _preview(
    columns: list[pa.Array], numbers: pa.Array, verdicts: list[Verdict], wanted: int
) -> list[dict[str, str | int]]:
    genic = [verdict.worst is not None and verdict.worst.gene != "" for verdict in verdicts]
    if not any(genic):
        return []
    rows = pc.indices_nonzero(pa.array(genic).take(numbers))[:wanted].to_pylist()
    worsts = [(at, verdicts[numbers[at].as_py()].worst) for at in rows]
    return [_shown(columns, at, effect) for at, effect in worsts if effect]


def _shown(columns: list[pa.Array], at: int, effect: Effect) -> dict[str, str | int]:
    return {
        "contig": columns[CONTIG][at].as_py().decode(errors="replace"),
        "pos": int(columns[POS][at].as_py()),
        "ref": columns[REF][at].as_py().decode(),
        "alt": columns[ALT][at].as_py().decode(),
        "gene": effect.gene,
        "consequence": effect.consequence,
        "amino_acid_change": effect.amino_acid_change,
    }


def _frequencies(values: pa.Array) -> list[tuple[Any, int]]:
    found = pc.value_counts(values)
    return list(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True))
