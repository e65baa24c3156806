"""The engine around vepyr, with a stand-in for vepyr itself."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pysam
import pytest

from annotator.bundles import DEMO, Bundle, VepCache, load
from annotator.engines import Unit
from annotator.engines.vep import LAYOUT, VepEngine
from annotator.errors import AnnotatorFailed
from annotator.run import annotate
from tests.unit.annotator.samples import COLUMNS, write

OLD = '##INFO=<ID=CSQ,Number=.,Type=String,Description="Format: Allele|Consequence|Old">\n'
_META = """##fileformat=VCFv4.2
##contig=<ID=16>
##contig=<ID=MT>
##INFO=<ID=GAS_SKIP,Number=1,Type=String,Description="x">
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##FILTER=<ID=q20,Description="x">
##ALT=<ID=DEL,Description="x">
"""
DECLARED = f"{_META}{COLUMNS}\n"
Program = Callable[[list[str]], None]


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator.engines.vep.version", lambda name: f"{name} of the test")


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def answering(value: Callable[[list[str]], str]) -> Program:
    """Stand in for vepyr: `value` gives the INFO of a site, whose cells it is given."""

    def program(arguments: list[str]) -> None:
        sites = Path(option(arguments, "--input_file")).read_text().splitlines()
        lines = [LAYOUT.declaration.decode()]
        for line in sites[3:]:
            cells = line.split("\t")
            lines.append("\t".join([*cells[:7], value(cells)]))
        Path(option(arguments, "--output_file")).write_text("".join(f"{x}\n" for x in lines))

    return program


def missense(cells: list[str]) -> str:
    known = {"Allele": cells[4], "Consequence": "missense_variant", "SYMBOL": f"AT{cells[1]}"}
    return "CSQ=" + "|".join(known.get(name, "") for name in LAYOUT.names)


def output(
    folder: Path,
    *rows: str,
    program: Program | None = None,
    head: str = DECLARED,
    contig: str = "16",
) -> tuple[list[str], list[list[str]]]:
    """Run the engine; return its header lines and the cells of its records."""
    source, records = folder / "in.vcf", folder / "in.bcf"
    source.write_text(head + "".join(f"{contig}\t{row}\n" for row in rows))
    pysam.bcftools.view("-Ob", "-o", str(records), str(source), catch_stdout=False)
    bundle = load(DEMO)
    engine = VepEngine(bundle, VepCache(folder, 115), folder, program or answering(missense))
    unit = Unit((contig,), bundle.names()[contig.encode()])
    lines = b"".join(engine.annotate(records, unit)).decode().splitlines()
    records_of = [line.split("\t") for line in lines if not line.startswith("#")]
    return [line for line in lines if line.startswith("#")], records_of


def info(cells: list[str]) -> dict[str, str]:
    return dict(item.partition("=")[::2] for item in cells[7].split(";"))


def test_each_record_gets_its_own_answer_last_in_info(tmp_path: Path) -> None:
    header, records = output(tmp_path, "190560\t.\tT\tC\t.\t.\tDP=3", "190561\t.\tC\tA\t.\t.\t.")
    assert header.count(LAYOUT.declaration.decode()) == 1
    assert [LAYOUT.effects_of(info(cells)["CSQ"])[0].gene for cells in records] == [
        "AT190560",
        "AT190561",
    ]
    assert [list(info(cells)) for cells in records] == [["DP", "CSQ"], ["CSQ"]]


def test_flagged_symbolic_and_reference_records_are_never_shown_to_vepyr(tmp_path: Path) -> None:
    asked = tmp_path / "asked"

    def told(cells: list[str]) -> str:
        with asked.open("a") as file:
            file.write(f"{cells[1]} {cells[3]} {cells[4]}\n")
        return missense(cells)

    rows = [
        "190560\t.\tT\tC\t.\t.\tGAS_SKIP=ref_mismatch",
        "190561\t.\tC\t<DEL>\t.\t.\t.",
        "190562\t.\tC\t.\t.\t.\t.",
        "190563\t.\tG\tR\t.\t.\t.",
        "190564\t.\tg\ta\t.\t.\t.",
    ]
    _, records = output(tmp_path, *rows, program=answering(told))
    assert asked.read_text() == "190564 G A\n"
    assert ["CSQ" in info(cells) for cells in records] == [False, False, False, False, True]
    assert records[0][7] == "GAS_SKIP=ref_mismatch"


def test_vepyr_sees_nothing_of_the_upload_but_sites(tmp_path: Path) -> None:
    head = DECLARED.replace("##fileformat=VCFv4.2\n", "##fileformat=VCFv4.2\n##secret=1\n")
    output(tmp_path, "190560\trs1\tT\tC\t9\tq20\tDP=3", head=head)
    sites = (tmp_path / "sites.vcf").read_text()
    assert sites.splitlines()[3:] == ["16\t190560\t.\tT\tC\t.\t.\t."]
    assert "secret" not in sites


def test_a_csq_that_the_upload_brought_is_gone(tmp_path: Path) -> None:
    head = DECLARED.replace("#CHROM", f"{OLD}#CHROM")
    rows = ["190560\t.\tT\tC\t.\t.\tCSQ=old;DP=3", "190561\t.\tC\t<DEL>\t.\t.\tCSQ=old"]
    header, records = output(tmp_path, *rows, head=head)
    assert OLD.strip() not in header
    assert "old" not in records[0][7]
    assert list(info(records[0])) == ["DP", "CSQ"]
    assert records[1][7] == "."


def test_a_contig_with_another_genetic_code_is_left_to_csq(tmp_path: Path) -> None:
    def never(arguments: list[str]) -> None:
        raise AssertionError(arguments)

    row = "15757\t.\tA\tG\t.\t.\t."  # TGA to TGG, tryptophan both by table 2
    _, (cells,) = output(tmp_path, row, program=never, contig="MT")
    (effect,) = LAYOUT.effects_of(info(cells)["CSQ"])
    assert (effect.consequence, effect.gene) == ("synonymous_variant", "MT-CYB")
    assert (effect.amino_acid_change, effect.strand) == ("337W", "+")
    assert info(cells)["CSQ"].startswith("G|synonymous_variant|LOW|MT-CYB||Transcript|")


def test_a_record_between_genes_of_such_a_contig_has_no_answer(tmp_path: Path) -> None:
    _, (cells,) = output(tmp_path, "100\t.\tG\tA\t.\t.\t.", contig="MT")
    assert cells[7] == "."


def reversed_answers(arguments: list[str]) -> None:
    answering(missense)(arguments)
    answers = Path(option(arguments, "--output_file"))
    header, *lines = answers.read_text().splitlines(keepends=True)
    answers.write_text("".join([header, *reversed(lines)]))


def one_short(arguments: list[str]) -> None:
    answering(missense)(arguments)
    answers = Path(option(arguments, "--output_file"))
    answers.write_text("".join(answers.read_text().splitlines(keepends=True)[:-1]))


def one_more(arguments: list[str]) -> None:
    answering(missense)(arguments)
    with Path(option(arguments, "--output_file")).open("a") as file:
        file.write(f"16\t190999\t.\tA\tC\t.\t.\t{missense(['', '190999', '', 'A', 'C'])}\n")


def another_layout(arguments: list[str]) -> None:
    Path(option(arguments, "--output_file")).write_text(OLD)


def failing(arguments: list[str]) -> None:
    os.write(2, b"no such contig\n")
    sys.exit(2)


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (reversed_answers, "another variant than POS 190560"),
        (one_short, "another variant than POS 190561"),
        (one_more, "more variants than there are"),
        (another_layout, "does not write the CSQ that it was asked for"),
        (failing, "vepyr ended with 2: no such contig"),
    ],
)
def test_what_vepyr_gets_wrong_is_our_error(
    tmp_path: Path, program: Program, sentence: str
) -> None:
    rows = ["190560\t.\tT\tC\t.\t.\t.", "190561\t.\tC\tA\t.\t.\t."]
    with pytest.raises(AnnotatorFailed, match=sentence):
        output(tmp_path, *rows, program=program)


def test_it_writes_and_spreads_no_further_than_its_worker_may(tmp_path: Path) -> None:
    def program(arguments: list[str]) -> None:
        told = {name: os.environ.get(name) for name in ("TMPDIR", "TOKIO_WORKER_THREADS")}
        (tmp_path / "environment").write_text(json.dumps(told))
        answering(missense)(arguments)

    output(tmp_path, "190560\t.\tT\tC\t.\t.\t.", program=program)
    told = json.loads((tmp_path / "environment").read_text())
    assert told == {"TMPDIR": str(tmp_path), "TOKIO_WORKER_THREADS": "2"}
    assert "TOKIO_WORKER_THREADS" not in os.environ


def test_its_commands_have_no_paths_of_this_machine(tmp_path: Path) -> None:
    source, records = tmp_path / "in.vcf", tmp_path / "in.bcf"
    source.write_text(f"{DECLARED}16\t190560\t.\tT\tC\t.\t.\t.\n")
    pysam.bcftools.view("-Ob", "-o", str(records), str(source), catch_stdout=False)
    bundle = load(DEMO)
    engine = VepEngine(bundle, VepCache(tmp_path, 115), tmp_path, answering(missense))
    list(engine.annotate(records, Unit(("16",), bundle.names()[b"16"])))
    assert [command[:2] for command in engine.commands] == [
        ["view", "--no-version"],
        ["vepyr", "annotate"],
    ]
    assert not any("/" in word for command in engine.commands for word in command)
    assert engine.name.startswith("vepyr vepyr of the test (VEP cache 115 GRCh38); genetic code 2:")


def test_without_vepyr_a_bundle_with_a_cache_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotator.engines.vep.version", absent)
    monkeypatch.setattr("annotator.run.load", with_cache)
    with pytest.raises(AnnotatorFailed, match=r"install requirements-vep\.txt") as failure:
        annotate(write(tmp_path, "no record at all\n"), tmp_path / "out", DEMO)
    assert "demo-grch38 names a VEP cache" in str(failure.value)
    assert not (tmp_path / "out").exists()


def absent(name: str) -> str:
    raise metadata.PackageNotFoundError(name)


def with_cache(folder: Path) -> Bundle:
    return replace(load(folder), vep=VepCache(folder, 115))
