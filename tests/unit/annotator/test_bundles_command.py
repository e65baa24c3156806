import pytest

from annotator.bundles_command import Bar


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_bar_shows_the_share_and_is_not_redrawn_for_every_block(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    bar = Bar(clock)
    for done in range(0, 5 << 20, 1 << 10):
        bar("genome", done, 10 << 20)
    assert capsys.readouterr().err == "\rgenome   0 % of 10.0 MiB\x1b[K"
    clock.now = 1.0
    bar("genome", 5 << 20, 10 << 20)
    assert capsys.readouterr().err.endswith("\rgenome  50 % of 10.0 MiB\x1b[K")


def test_the_end_of_a_file_is_always_drawn_and_the_next_one_takes_a_new_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bar = Bar(Clock())
    bar("genome", 1, 2 << 20)
    bar("genome", 2 << 20, 2 << 20)
    bar("preparing genes", 0, None)
    drawn = capsys.readouterr().err
    assert "100 % of 2.0 MiB" in drawn
    assert drawn.endswith("\npreparing genes \x1b[K")


def test_a_file_of_unknown_size_shows_what_came(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Bar(Clock())("genes", 3 << 20, None)
    assert capsys.readouterr().err == "\rgenes 3.0 MiB\x1b[K"
