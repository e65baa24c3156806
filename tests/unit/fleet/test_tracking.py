"""Target tracking as AWS documents it, minute by minute."""

from bench.fleet.tracking import LOW, Datapoint, Tracking, demand, rows, waiting


def point(visible: int = 0, in_flight: int = 0, in_service: int = 1, queued: int = 0) -> Datapoint:
    return Datapoint(visible, in_flight, queued, in_service)


def decisions(
    tracking: Tracking, points: list[Datapoint], *, desired: int = 1, warming: bool = False
) -> list[int]:
    """What is wanted after each minute, when every wish is fulfilled."""
    wanted = []
    for each in points:
        desired = tracking.wanted(each, desired=desired, warming=warming)
        wanted.append(desired)
    return wanted


def test_metrics_are_what_their_names_say() -> None:
    busy = point(visible=6, in_flight=2, in_service=4, queued=10)
    assert (waiting(busy), demand(busy), rows(busy)) == (1.5, 2.0, 3.0)
    asleep = point(visible=6, in_service=0)
    assert (waiting(asleep), demand(asleep)) == (None, 6.0)


def test_three_minutes_above_the_target_scale_out_to_what_fits_and_a_datapoint_late() -> None:
    high = point(visible=10, in_flight=2)
    assert decisions(Tracking(demand, 4, 1, 9), 5 * [high]) == [1, 1, 1, 3, 3]


def test_a_minute_at_the_target_between_them_starts_the_count_anew() -> None:
    high, right = point(visible=10, in_flight=2), point(visible=2, in_flight=2)
    points = [high, high, right, high, high, high, high]
    assert decisions(Tracking(demand, 4, 1, 9), points) == [1, 1, 1, 1, 1, 1, 3]


def test_no_more_machines_than_the_most() -> None:
    assert decisions(Tracking(demand, 4, 1, 9), 4 * [point(visible=1000)])[-1] == 9


def test_fifteen_minutes_well_below_the_target_scale_in_and_fourteen_do_not() -> None:
    low = point(in_flight=1, in_service=5)
    wanted = decisions(Tracking(demand, 4, 1, 9), (LOW + 4) * [low], desired=5)
    assert wanted == LOW * [5] + [4, 3, 2, 1]


def test_nine_tenths_of_the_target_is_not_below_it() -> None:
    level = point(in_flight=18, in_service=5)
    assert decisions(Tracking(demand, 4, 1, 9), 40 * [level], desired=5)[-1] == 5


def test_of_many_machines_a_tenth_goes_in_a_minute() -> None:
    low = point(in_flight=10, in_service=40)
    wanted = decisions(Tracking(demand, 4, 1, 99), (LOW + 3) * [low], desired=40)
    assert wanted[LOW:] == [36, 33, 30]


def test_nothing_is_scaled_in_while_a_new_machine_warms_up() -> None:
    low = 40 * [point(in_service=5)]
    assert decisions(Tracking(demand, 4, 1, 9), low, desired=5, warming=True)[-1] == 5


def test_busy_machines_without_a_queue_are_scaled_in_by_what_waits_and_kept_by_what_is_asked() -> (
    None
):
    busy = 40 * [point(in_flight=8, in_service=2)]
    assert decisions(Tracking(waiting, 4, 0, 9), busy, desired=2)[-1] == 0
    assert decisions(Tracking(demand, 4, 0, 9), busy, desired=2)[-1] == 2


def test_one_visible_message_wakes_a_group_without_machines() -> None:
    asleep = point(visible=1, in_service=0)
    for metric in (waiting, demand):
        assert decisions(Tracking(metric, 4, 0, 9), 3 * [asleep], desired=0) == [0, 1, 1]


def test_a_group_with_nothing_to_do_falls_asleep_unless_it_must_not() -> None:
    idle = 40 * [point()]
    assert decisions(Tracking(demand, 4, 0, 9), idle)[-1] == 0
    assert decisions(Tracking(demand, 4, 1, 9), idle)[-1] == 1
