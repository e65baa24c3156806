import gzip
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotator import flatten
from annotator.bundles import DEMO, Bundle, VepCache, load
from annotator.columns import split_lines
from annotator.consequence import Effect
from annotator.csq_field import COLUMNS
from annotator.engines import InfoField
from annotator.engines.vep import VepEngine
from annotator.flatten import Findings, Flattener
from annotator.known import KnownCounts
from annotator.records import Records
from annotator.run import annotate
from annotator.table import SCHEMA
from tests.unit.annotator.samples import row, write
from tests.unit.annotator.test_vep_engine import answering, missense


def read(asked: list[str], word: str) -> list[Effect]:
    asked.append(word)
    return [Effect("intron_variant", "MODIFIER", ("intron_variant",), gene=word)]


def flattener(asked: list[str]) -> Flattener:
    words = pa.array([b"AAA", b"BBB"])
    findings = Findings(pa.nulls(len(words), pa.binary()), words)
    return Flattener(
        InfoField("THEIRS", b"", partial(read, asked)), KnownCounts(load(DEMO)), findings
    )


def flat(by: Flattener, *sites: int) -> bytes:
    rows = (f"16\t{at}\t.\tA\tC\t.\t.\t.\n" for at in range(1, len(sites) + 1))
    records = Records(split_lines("".join(rows).encode()), None, reaching=False)
    return bytes(by.block(records, pa.array(sites, pa.int32())).vcf)


def test_the_engine_reads_its_own_words_and_each_once() -> None:
    asked: list[str] = []
    by = flattener(asked)
    texts = [flat(by, 0, 1, 0), flat(by, 0)]
    assert asked == ["AAA", "BBB"]
    assert [text.count(b"\tTHEIRS=AAA;") for text in texts] == [2, 1]
    assert [text.count(b"GAS_GENE=AAA") for text in texts] == [2, 1]


@pytest.mark.parametrize("cap", ["MEMORY_CAP", "MEMORY_BYTES"])
def test_what_words_mean_is_forgotten_before_it_fills_the_memory(
    cap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flatten, cap, 1)
    asked: list[str] = []
    by = flattener(asked)
    for _ in range(3):
        flat(by, 0, 1)
    assert asked == ["AAA", "BBB"] * 3


def test_columns_that_only_one_engine_has_stand_last_in_both_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotator.engines.vep.version", lambda name: f"{name} of the test")
    monkeypatch.setattr("annotator.run.VepEngine", partial(VepEngine, program=answering(missense)))
    monkeypatch.setattr("annotator.run.load", with_cache)
    rows = [
        row("chr16", 190560, "T", "C"),
        row("MT", 3308, "T", "C"),
        row("MT", 8000, "T", "<DEL>"),
    ]
    annotate(write(tmp_path, *rows), tmp_path / "out", DEMO)
    table = pq.read_table(tmp_path / "out" / "annotated.parquet")
    assert table.column_names == [*SCHEMA.names, *COLUMNS]
    lines = gzip.decompress((tmp_path / "out" / "annotated.tsv.gz").read_bytes()).decode()
    cells = [line.split("\t") for line in lines.splitlines()]
    assert cells[0] == table.column_names
    assert {len(line) for line in cells} == {len(table.column_names)}
    assert table["gene"].to_pylist() == ["AT190560", "MT-ND1"]
    vcf = gzip.decompress((tmp_path / "out" / "annotated.vcf.gz").read_bytes()).decode()
    assert vcf.count("##INFO=<ID=CSQ,") == 1
    assert "BCSQ" not in vcf
    assert "\tGAS_SKIP=symbolic\n" in vcf


def with_cache(folder: Path) -> Bundle:
    return replace(load(folder), vep=VepCache(folder, 115))


def test_the_field_is_declared_even_where_no_record_has_it(tmp_path: Path) -> None:
    annotate(write(tmp_path, row("elsewhere", 8000, "T", "A")), tmp_path / "out", DEMO)
    vcf = gzip.decompress((tmp_path / "out" / "annotated.vcf.gz").read_bytes()).decode()
    assert vcf.count("##INFO=<ID=BCSQ,") == 1
