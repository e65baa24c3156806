"""Adds the flat GAS_* fields to the engine's records, counts them, and makes the table's rows.

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
    behind,
    binary,
    ended,
    marked,
    split_lines,
    text_in,
    text_of_lines,
    together,
)
from annotator.consequence import INTERGENIC, Effect, worst
from annotator.engines import InfoField
from annotator.known import KnownCounts
from annotator.second_look import SecondLook
from annotator.summary import PREVIEW, Counts
from annotator.table import Rows, rows_of, said_by_sources, unarmed
from annotator.tbi import Places

MEMORY_CAP = 50_000  # distinct verdicts remembered
MEMORY_BYTES = 16 << 20  # of the engine's text among them; what it means takes a few times that
OURS = b"GAS_"
SKIP = b"GAS_SKIP="
_PLAIN_ALT = "^[ACGTacgt]+$"
_OURS = b"\0"  # starts a word of ours; no input holds a NUL
_BETWEEN = b""
_REFERENCE = _OURS + b"reference"
_FLAGGED = _OURS + b"flagged "  # by the screen, so that the field stands there already
_FLAG = _OURS + b"flag "


@dataclass(frozen=True)
class Verdict:
    """What becomes of a record: the text behind its INFO, its consequences, or why it has none."""

    suffix: bytes
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
        return Verdict(b"")
    if word.startswith(_FLAGGED):
        return Verdict(b"", skipped=word.removeprefix(_FLAGGED).decode())
    if word.startswith(_FLAG):
        reason = word.removeprefix(_FLAG)
        return Verdict(b";" + SKIP + reason, skipped=reason.decode())
    effects = engine.effects_of(word.decode()) if word else [INTERGENIC]
    chosen, effects = worst(effects), effects or [INTERGENIC]
    terms = tuple(sorted([term for effect in effects for term in effect.terms]))
    return Verdict(b";" + _fields(chosen), tuple(effects), chosen, terms=terms)


def _fields(effect: Effect) -> bytes:
    fields = [f"GAS_CSQ={effect.consequence}", f"GAS_IMPACT={effect.impact}"]
    fields += [f"GAS_GENE={effect.gene}"] if effect.gene else []
    fields += [f"GAS_TX={effect.transcript}"] if effect.transcript else []
    return ";".join(fields).encode()


@dataclass
class Flattener:
    """Takes blocks of the engine's record lines, in their order."""

    engine: InfoField
    known: KnownCounts
    second_look: SecondLook = field(default_factory=lambda: SecondLook({}, {}, ""))
    counts: Counts = field(default_factory=Counts)
    places: Places = field(default_factory=Places)
    _known: dict[bytes, Verdict] = field(default_factory=dict)
    _bytes: int = 0

    def block(self, text: bytes) -> Flat:
        """Return the block for the outputs, and count it."""
        columns = split_lines(text)
        columns[INFO] = self.second_look.put_on(columns)
        told = {"genotypes": genotypes.told(columns)}
        if genotypes.some_out_of_range(columns[ALT], columns[INFO], told["genotypes"]):
            raise UnreadableError("a genotype names an allele that is not in ALT")
        fields = marked(columns[INFO])
        coded = self._words(columns, fields, some_flagged=SKIP in text).dictionary_encode()
        verdicts = self._verdicts(coded.dictionary.to_pylist())
        self._count(columns, coded.indices, verdicts)
        if OURS in text or self.second_look.found:
            told |= self._said(fields)
        effects = [verdict.effects for verdict in verdicts]
        rows = rows_of(columns, coded.indices, effects, told, self.engine.columns)
        skipped = _skipped(columns, coded.indices, verdicts)
        columns[INFO] = _info(columns[INFO], coded.indices, verdicts)
        lines = together(*columns[:-1], ended(columns[-1]))
        self.places.add(columns, text, pc.binary_length(lines))
        return Flat(text_in(lines), rows, skipped)

    def _words(self, columns: list[pa.Array], fields: pa.Array, *, some_flagged: bool) -> pa.Array:
        found = behind(fields, f";{self.engine.tag}=")
        if not found.null_count:
            return found
        words = found.fill_null(_BETWEEN)
        odd = pc.and_(
            pc.is_null(found), pc.invert(_plain(columns, fields if some_flagged else None))
        )
        cells = (columns[at].filter(odd).to_pylist() for at in (REF, ALT, INFO))
        ours = [_odd_word(*cell) for cell in zip(*cells, strict=True)]
        return pc.replace_with_mask(words, odd, pa.array(ours, pa.binary()))

    def _said(self, fields: pa.Array) -> dict[str, pa.Array]:
        ours = pc.match_substring(fields, pattern=";GAS_")
        some = fields.filter(ours)
        self.known.seen(some)
        return said_by_sources(ours, some)

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


def _plain(columns: list[pa.Array], marked: pa.Array | None) -> pa.Array:
    safe = pc.match_substring_regex(columns[ALT], pattern=_PLAIN_ALT)
    plain = pc.and_(safe, pc.not_equal(columns[REF], columns[ALT]))
    if marked is None:
        return plain
    return pc.and_not(plain, pc.match_substring(marked, pattern=";GAS_SKIP="))


def _odd_word(ref: bytes, alt: bytes, info: bytes) -> bytes:
    if (b";" + info).find(b";" + SKIP) >= 0:
        return _FLAGGED + info.rpartition(SKIP)[2]
    if alt == NO_ALT:
        return _REFERENCE
    return _FLAG + (unsafe_alt(alt) or Reason.MALFORMED).encode()


def _info(info: pa.Array, numbers: pa.Array, verdicts: list[Verdict]) -> pa.Array:
    suffixes = pa.array([verdict.suffix for verdict in verdicts], pa.binary()).take(numbers)
    joined = pc.binary_join_element_wise(info, suffixes, binary(b""))
    nothing = pc.equal(info, binary(b"."))
    if not pc.any(nothing).as_py():
        return joined
    alone = pa.array([verdict.suffix[1:] or b"." for verdict in verdicts], pa.binary())
    return pc.if_else(nothing, alone.take(numbers), joined)


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
    shown = [(at, verdicts[number].worst) for at, number in enumerate(numbers.to_pylist())]
    genic = [(at, effect) for at, effect in shown if effect and effect.gene]
    return [_shown(columns, at, effect) for at, effect in genic[:wanted]]


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
