"""The small charts of a day: where columns, lines and their pieces are drawn."""

from datetime import datetime, timedelta

from gas.services.operations_history import Hour, Minute
from gas.views import series

HOUR = timedelta(hours=1)
NOON = datetime.fromisoformat("2030-05-04T12:00:00+00:00")


def hour(completed: int, failed: int = 0, wait: float | None = None) -> Hour:
    ended = {"completed": completed, "failed": failed, "cancelled": 0}
    return Hour(NOON, ended, wait, wait and 2 * wait, None, None)


def test_columns_stand_upon_each_other_and_the_highest_fills_the_chart() -> None:
    drawn = series.ended([hour(6, 2), hour(4)])
    assert drawn.told == "10 completed, 2 failed, 0 cancelled"
    assert drawn.top == "8"
    boxes = [(box.kind, box.y, box.height) for box in drawn.segments]
    assert boxes == [("completed", 25.0, 75.0), ("failed", 0.0, 25.0), ("completed", 50.0, 50.0)]


def test_a_line_is_broken_where_nothing_is_known_and_a_lonely_hour_is_seen() -> None:
    drawn = series.waits([hour(1, wait=5), hour(0), hour(1, wait=10), hour(1, wait=5)])
    half, most = drawn.lines
    assert (half.kind, most.kind) == ("p50", "p95")
    assert half.pieces == ["-1.00,75.00 1.00,75.00", "66.67,50.00 100.00,75.00"]
    assert drawn.top == "20 s"


def test_depths_lie_where_their_minutes_are_in_the_day() -> None:
    minutes = [
        Minute(NOON - 12 * HOUR, {"thaw": [5, 0, 0, 0]}, {}),
        Minute(NOON, {"thaw": [10, 0, 0, 0]}, {}),
    ]
    drawn = series.depth("thaw", minutes, NOON)
    assert drawn.lines[0].pieces == ["50.00,50.00 100.00,0.00"]
    assert "at most 10 messages" in drawn.told
    assert series.depth("annotate", minutes, NOON).lines[0].pieces == []


def test_hours_in_which_nothing_ended_are_said_to_be_such() -> None:
    assert series.runs([hour(0)]).told == "nothing ended"
