"""What is told of a run that broke: where it was, and nothing that it had read."""

import pytest

from annotator.errors import AnnotatorFailed
from annotator.outline import outline, places

SAID = """the annotator ended with 1: Traceback (most recent call last):
  File "annotator/run.py", line 7, in run
    read('chr16\\t284492\\tG\\tA\\t0/1')
ValueError: NA12878 has 0/1"""


def test_the_places_and_the_class_are_told() -> None:
    told = 'the annotator ended with 1; File "annotator/run.py", line 7, in run; ValueError'
    assert outline(SAID) == told


def test_it_reads_what_was_put_on_one_line() -> None:
    assert outline(SAID.replace("\n", " | ")) == outline(SAID)


@pytest.mark.parametrize(
    "line",
    [
        'File "NA12878.py", line 1, in read',
        'File "annotator/NA12878.py", line 1, in read',
        'File "/etc/passwd", line 1, in read',
        'File "annotator/../NA12878/run.py", line 1, in read',
        "chr16\t284492\t.\tG\tA\t.\t.\t.\tGT\t0/1",
        "NA12878",
        "NA12878: 0/1",
    ],
)
def test_a_child_that_lies_tells_nothing_of_its_own_making(line: str) -> None:
    assert outline(f"the annotator ended with 1: x\n  {line}\n{line}") == (
        "the annotator ended with 1"
    )


def test_the_child_tells_its_places_in_the_form_that_is_read() -> None:
    try:
        int("x")
    except ValueError as error:
        told = places(error)
    assert told.startswith('  File "')
    assert "test_outline.py" in told


def test_an_admitted_failure_is_told_by_its_sentence_alone() -> None:
    assert outline(str(AnnotatorFailed("the annotator left links behind: ['NA12878']"))) == (
        "the annotator left links behind"
    )
