"""What a process remembers for some seconds."""

from itertools import count

from gas.remembered import Remembered


def test_a_value_is_read_once_and_again_when_it_was_forgotten() -> None:
    numbers = count()
    kept = Remembered("numbers", 60, lambda: next(numbers))
    assert [kept.value(), kept.value()] == [0, 0]
    kept.forget()
    assert kept.value() == 1


def test_nothing_is_remembered_as_nothing() -> None:
    asked: list[int] = []
    kept = Remembered("nothing", 60, lambda: asked.append(1))
    assert kept.value() is kept.value() is None
    assert len(asked) == 1


def test_it_ends_after_its_seconds() -> None:
    numbers = count()
    kept = Remembered("brief", 0, lambda: next(numbers))
    assert [kept.value(), kept.value()] == [0, 1]
