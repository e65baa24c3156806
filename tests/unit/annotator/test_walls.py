import pytest

from annotator import landlock, sandbox, seccomp
from annotator.sandbox import Limits, Walls


@pytest.mark.parametrize(
    ("version", "no_sockets", "missing"),
    [
        (0, False, ["files", "network"]),
        (0, True, ["files"]),
        (3, False, ["network"]),
        (3, True, []),
        (4, False, []),
        (7, True, []),
    ],
)
def test_what_is_missing_follows_from_the_kernel(
    monkeypatch: pytest.MonkeyPatch, version: int, no_sockets: bool, missing: list[str]
) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: version)
    monkeypatch.setattr(seccomp, "is_available", lambda: no_sockets)
    assert sandbox.foreseen(Limits()) == Walls(Limits(), version, no_sockets)
    assert sandbox.foreseen(Limits()).missing == missing


def test_the_sentence_shouts_where_a_wall_is_missing() -> None:
    assert "files OPEN; network seccomp;" in str(Walls(Limits(), 0, no_sockets=True))
    assert "files Landlock 2; network OPEN;" in str(Walls(Limits(), 2, no_sockets=False))
    assert "OPEN" not in str(Walls(Limits(), 4, no_sockets=False))
