"""Any filter that an address can hold chooses the rows that plain Python chooses."""

import gzip
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from gas import filter_form
from gas.results import bgzf, exports
from gas.results.filters import Filter
from gas.results.table import Deadline, Table
from gas.results.variants import page
from tests.tables import PLACE, a_file, parquet, sample, tsv
from tests.unit.results import naive

LINES = tsv(sample())
CONTENT = parquet(sample(), group=90)

_FREQUENCY = st.sampled_from(["0", "0.01", "0.05", "0.5", "1"])
_FIELDS: dict[str, st.SearchStrategy[list[str]]] = {
    "gene": st.sampled_from([["pdia2"], ["AXIN1, LUC7L"], ["c16ORF1 mt-cyb"], ["NONE"]]),
    "region": st.sampled_from(
        [["chr16"], ["16:1-20,000"], ["chrM:5000-30000 2:1-900"], ["chr2:39000-40000"], ["7"]]
    ),
    "id": st.sampled_from([["rs1 rs2 rs3"], ["X1"], ["RS7;rs8"], ["rs"]]),
    "known": st.sampled_from([["yes"], ["no"]]),
    "impact": st.lists(st.sampled_from(["HIGH", "MODERATE", "LOW"]), min_size=1, unique=True),
    "consequence": st.lists(
        st.sampled_from(["stop_gained", "intron_variant", "stop_lost"]), min_size=1, unique=True
    ),
    "af_min": _FREQUENCY.map(lambda one: [one]),
    "af_max": _FREQUENCY.map(lambda one: [one]),
    "unseen": st.just(["1"]),
    "clinvar": st.lists(
        st.sampled_from(["Benign", "Pathogenic", "risk_factor", "."]), min_size=1, unique=True
    ),
    "filter": st.lists(st.sampled_from(["PASS", "q10", "s50", "."]), min_size=1, unique=True),
}
_BOX = st.lists(st.sampled_from(sorted(_FIELDS)), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: _FIELDS[name] for name in names})
)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Addresses with up to three boxes of up to three conditions."""
    boxes = draw(st.lists(_BOX, min_size=1, max_size=3))
    prefixes = ("", "2-", "3-")
    asked = {
        f"{prefix}{name}": values
        for prefix, box in zip(prefixes, boxes, strict=False)
        for name, values in box.items()
    }
    return urlencode(asked, doseq=True)


def a_filter(query: str) -> Filter:
    return filter_form.read(QueryDict(query)).wanted


def chosen(query: str) -> list[str]:
    """The lines of the filtered TSV, without the header."""
    pieces = exports.tsv(Table(a_file(CONTENT)), a_filter(query), Deadline.within(60))
    header, *lines = gzip.decompress(b"".join(bgzf.packed(pieces))).decode().splitlines()
    assert header == LINES[0]
    return lines


@settings(max_examples=60, deadline=None)
@given(addresses())
def test_a_filter_chooses_what_plain_python_chooses(query: str) -> None:
    rows = naive.wanted(LINES, query)
    assert chosen(query) == [LINES[1 + at] for at in rows]
    count = page(Table(a_file(CONTENT)), a_filter(query), until=Deadline.within(60)).count
    places = [tuple(sample()[at][name] for name in PLACE) for at in rows]
    variants = sum(at == 0 or place != places[at - 1] for at, place in enumerate(places))
    assert (count.rows, count.variants, count.exact) == (len(rows), variants, True)


@pytest.mark.parametrize("query", ["gene=pdia2", "impact=HIGH", "filter=s50", "clinvar=Benign"])
def test_the_table_holds_something_for_the_words_that_are_tried(query: str) -> None:
    assert 0 < len(chosen(query)) < len(sample())


def test_a_region_reads_only_the_row_groups_that_can_hold_it() -> None:
    everything, region = a_file(CONTENT), a_file(CONTENT)
    list(exports.tsv(Table(everything), Filter(), Deadline.within(60)))
    list(exports.tsv(Table(region), a_filter("region=chrM:1-2000"), Deadline.within(60)))
    assert len(everything.asked) > 2 * len(region.asked)


def lines_of(content: bytes, query: str) -> bytes:
    pieces = exports.tsv(Table(a_file(content)), a_filter(query), Deadline.within(60))
    return b"".join(pieces)


@pytest.mark.parametrize(
    "query",
    [
        *(f"region={row['contig']}:{row['position']}" for row in sample()[30:60:9]),
        f"region=chr16:{sample()[20]['position']}-{sample()[40]['position']}",
        "region=2&2-region=mt",
        "impact=HIGH&impact=LOW",
        "consequence=stop_gained",
        "af_min=0.01&af_max=0.05",
        "af_max=0",
        "unseen=1",
        "known=yes&clinvar=.",
        "known=no",
        "filter=.&filter=s50",
        "gene=mt-cyb",
    ],
)
def test_the_bounds_of_row_groups_rule_out_no_wanted_row(query: str) -> None:
    rows = sample()[:60]
    whole = lines_of(parquet(rows, group=1000), query)
    assert lines_of(parquet(rows, group=1), query) == whole
    assert whole.decode().splitlines()[1:] == [
        LINES[1 + at] for at in naive.wanted(LINES[:61], query)
    ]


def test_only_the_columns_that_are_needed_are_read() -> None:
    big = parquet(sample(), group=10_000)
    whole, few = a_file(big), a_file(big)
    read = Table(whole).read([0], Table(whole).schema.names, Deadline.within(60))
    assert sum(len(group.cells) for group in read) == 19
    (group,) = Table(few).read([0], ["position"], Deadline.within(60))
    assert set(group.cells) == {"position"}
    assert few.asked[-1][1] < whole.asked[-1][1] / 5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("gene=PDIA2&impact=HIGH&impact=LOW", "gene is PDIA2 and impact is one of HIGH, LOW"),
        (
            "region=chrM&2-af_max=0.01&2-unseen=1",
            "(on chrM) or (frequency is (at most 0.01 or not seen))",
        ),
        ("region=16:5", "in 16:5-5"),
        ("filter=.", "FILTER is missing"),
        ("", ""),
    ],
)
def test_a_filter_says_what_it_asks_for(query: str, said: str) -> None:
    assert a_filter(query).words == said
