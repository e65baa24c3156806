"""How many alleles the sources know, and how ClinVar classes them."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotator.bundles import Bundle
from annotator.columns import before, behind

CLINVAR = "GAS_CLNSIG"
_ID = "ID"


class KnownCounts:
    """Counts over the records that have a column of a source."""

    def __init__(self, bundle: Bundle) -> None:
        columns = [column for source in bundle.sources for column in source.columns.items()]
        self._tags = tuple(ours for ours, theirs in columns if theirs == _ID)
        self._has_classes = any(ours == CLINVAR for ours, _ in columns)
        self.times: Counter[str] = Counter()
        self.known = 0

    def seen(self, marked: pa.Array) -> None:
        """Count records by their INFO columns, each behind a semicolon."""
        found = [pc.match_substring(marked, pattern=f";{tag}=") for tag in self._tags]
        if found:
            known, *others = found
            for other in others:
                known = pc.or_(known, other)
            self.known += known.true_count
        if self._has_classes:
            classes = before(behind(marked, f";{CLINVAR}="), ";").drop_null().value_counts()
            for word, times in zip(*(part.to_pylist() for part in classes.flatten()), strict=True):
                self.times[word.decode(errors="replace")] += times

    def add(self, other: "KnownCounts") -> None:
        """Add the counts of the records that follow."""
        self.known += other.known
        self.times.update(other.times)

    def summary(self, annotated: int) -> dict[str, Any]:
        """Return the keys `known`, `novel` and `clinvar` of summary.json, as far as they apply."""
        content: dict[str, Any] = {}
        if self._tags:
            content |= {"known": self.known, "novel": annotated - self.known}
        if self._has_classes:
            content["clinvar"] = dict(sorted(self.times.items(), key=lambda c: (-c[1], c[0])))
        return content
