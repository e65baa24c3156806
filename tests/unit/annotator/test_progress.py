from collections.abc import Iterator

import pytest

from annotator.progress import Course, Progress, told


def test_only_what_has_moved_is_told() -> None:
    heard: list[tuple[str, float]] = []
    progress = Progress(lambda stage, fraction: heard.append((stage, fraction)))
    for fraction in (0.0, 0.001, 0.5, 0.505):
        progress.tell("annotate", fraction)
    progress.tell("write", 0.5)
    assert heard == [("annotate", 0.0), ("annotate", 0.5), ("write", 0.5)]


def heard(*, sorting: bool) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    course = Course(lambda stage, fraction: found.append((stage, fraction)), sorting=sorting)
    blocks: Iterator[bytes] = course.reading([b"ab", b"cd"], lambda done: done / 4)
    if sorting:
        blocks = course.sorted(reversed(list(blocks)))
    assert sorted(blocks) == [b"ab", b"cd"]
    return found


def test_a_file_that_is_sorted_first_is_half_way_when_it_is_read() -> None:
    assert heard(sorting=False) == [("annotate", 0.5), ("annotate", 1.0)]
    assert heard(sorting=True) == [
        ("sort", 0.25),
        ("sort", 0.5),
        ("annotate", 0.75),
        ("annotate", 1.0),
    ]


def test_the_last_report_counts() -> None:
    lines = b'{"stage": "annotate", "fraction": 0.1}\n{"stage": "write", "fraction": 0.95}\n'
    assert told(lines) == ("write", 0.95)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no JSON",
        b"[1]",
        b'{"stage": "annotate"}',
        b'{"stage": "<b>", "fraction": 0.5}',
        b'{"stage": "annotate", "fraction": 7.0}',
        b'{"stage": "annotate", "fraction": "0.5"}',
        b'{"stage": ["annotate"], "fraction": 0.5}',
    ],
)
def test_a_report_that_is_none_is_passed_over(line: bytes) -> None:
    assert told(line) is None
