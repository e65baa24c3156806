"""The help says a word to everything that the annotator can say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pysam import libcbcftools

from annotator import consequence, csq_field, outputs, sniff
from annotator.alleles import Reason
from annotator.header import SKIP_LINE
from annotator.table import SCHEMA
from gas.views.help.consequences import IMPACTS, terms
from gas.views.help.refusals import REFUSALS
from gas.views.help.results import FIELDS, columns, unannotated

ANNOTATOR = Path(sniff.__file__).parent
#: What else is said there: of provenance, or passed on from where it was made.
OTHERS = {"provenance_command.py", "signing.py", "child.py"}
PASSED_ON = "line ...: ...."


def test_every_term_of_the_engines_is_explained() -> None:
    told = {term.name: term for term in terms()}
    assert list(told) == list(consequence.IMPACT)
    assert {term.impact for term in told.values()} == set(IMPACTS)
    assert all(re.fullmatch(r"SO:\d{7}", term.accession) for term in told.values())
    assert len({term.accession for term in told.values()}) == len(told)
    assert all(re.fullmatch(r"[A-Z].+[a-z]\.", term.meaning) for term in told.values())


def test_the_words_of_csq_are_those_in_the_program() -> None:
    program = Path(libcbcftools.__file__).read_bytes()
    start = program.index(b"synonymous\0missense\0")
    words = []
    for text in program[start : start + 1000].split(b"\0"):
        if not re.fullmatch(rb"[a-z0-9_]+", text):
            break
        words.append(text.decode())
    # Short words that other parts of the program use too lie elsewhere in it.
    assert {*words, "intron", "intergenic"} == set(consequence._CSQ_WORDS.split())


def test_a_term_that_csq_never_gives_is_marked() -> None:
    by_csq = {term.name: term.by_csq for term in terms()}
    assert by_csq["missense_variant"]
    assert by_csq["sequence_variant"]  # for a word that is in no table
    assert not by_csq["upstream_gene_variant"]


def test_every_reason_is_explained() -> None:
    told = {entry.reason: entry for entry in unannotated()}
    assert set(told) == {reason.value for reason in Reason}
    assert all(entry.meaning and entry.advice for entry in told.values())


def test_every_column_is_explained() -> None:
    assert [column.name for column in columns(by_vep=False)] == SCHEMA.names
    with_vep = [column.name for column in columns(by_vep=True)]
    assert with_vep == [*SCHEMA.names, *csq_field.COLUMNS]


def test_every_field_that_is_added_to_a_vcf_is_explained() -> None:
    declared = re.findall(rb"ID=(\w+)", b"".join([*outputs._FLAT_FIELDS, SKIP_LINE]))
    assert {*(name.decode() for name in declared), "ORIG"} == set(FIELDS)


def test_every_sentence_of_a_refusal_is_explained_and_none_besides() -> None:
    told = [sentence for kind in REFUSALS for sentence in kind.sentences]
    assert sorted(told) == sorted(_said())


def _said() -> set[str]:
    """Every sentence with which the annotator refuses a file."""
    found = {sentence for _, sentence in sniff._OTHERS}
    for file in ANNOTATOR.rglob("*.py"):
        if file.name not in OTHERS:
            found |= set(_sentences(ast.parse(file.read_text())))
    return found - {PASSED_ON, "..."}


def _sentences(code: ast.Module) -> Iterator[str]:
    for call in ast.walk(code):
        if not isinstance(call, ast.Call):
            continue
        if getattr(call.func, "id", "") == "InputRefused":
            yield _text(call.args[0])
        elif getattr(call.func, "attr", "") == "_blame" and len(call.args) == 2:
            yield f"line ...: {_text(call.args[1])}."


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(map(_text, parts))
        case ast.Call(args=[_, default]):  # next(those that are known, any other)
            return _text(default)
        case _:
            return "..."
