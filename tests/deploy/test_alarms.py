"""When each alarm rings: its own expression, evaluated over values that are planted here."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.scaling import GROUPS, Group
from dev.local_aws.server import REGION
from tests.deploy.filled_in import FilledIn
from tests.deploy.metric_math import rings, value_of
from tests.deploy.templates import resources, template
from tests.faults import brokers

GIVEN = {"Service": "gas", "Topic": f"arn:aws:sns:{REGION}:123456789012:gas-alarms"}
ALARMS = {
    **FilledIn("alarms.yaml", {**GIVEN, "MostWait": "1800"}).alarms(),
    **FilledIn("site-alarms.yaml", GIVEN).alarms(),
}
DEAD_LETTERS = FilledIn("dead-letters.yaml", GIVEN).alarms()

#: What is planted, and whether the alarm rings of it; a metric that is not named has no value.
PLANTED: dict[str, list[tuple[dict[str, float], bool]]] = {
    "JobsWait": [({"value": 1801}, True), ({"value": 1800}, False), ({}, False)],
    "StepsWait": [
        ({"thawing": 1801}, True),
        ({"archived": 1801, "completed": 3}, True),
        ({"completed": 1800, "archived": 1800, "thawing": 1800, "restoring": 1800}, False),
        ({}, False),
    ],
    "NoSweeps": [({"value": 0}, True), ({"value": 1}, False), ({}, True)],
    "JobsFail": [
        ({"failed": 5, "completed": 19}, True),
        ({"failed": 5}, True),
        ({"failed": 5, "completed": 20}, False),
        ({"failed": 4}, False),  # a handful proves nothing
        ({"completed": 100}, False),
        ({}, False),
    ],
    "WorkersLost": [
        ({"running": 2, "archiving": 2, "thawing": 1, "restoring": 1}, True),
        ({"running": 5}, False),
        ({}, False),
    ],
    "MessagesAgain": [
        ({"annotate": 6, "reconcile": 5}, True),
        ({"notify": 11}, True),
        ({"annotate": 10}, False),
        ({}, False),
    ],
    "MessagesLost": [({"mails": 1}, True), ({"jobs": 0}, False), ({}, False)],
    "SqsFails": [
        ({"receiveAll": 20, "sendAll": 10, "sendErrors": 2}, True),
        ({"receiveAll": 21, "receiveErrors": 21}, True),
        ({"receiveAll": 400, "sendErrors": 20}, False),
        ({"deleteAll": 20, "deleteErrors": 20}, False),  # so few are a start
        ({}, False),
    ],
    "SiteFails": [
        ({"pages2xx": 400, "api5xx": 5}, True),
        ({"pages5xx": 5}, True),
        ({"pages2xx": 495, "pages5xx": 5}, False),
        ({"api5xx": 4}, False),
        ({"pages4xx": 1000}, False),
        ({}, False),
    ],
    "SiteSlow": [({"value": 1.1}, True), ({"value": 1}, False), ({}, False)],
    "MailsWait": [({"value": 1}, True), ({"value": 0}, False), ({}, False)],
    "StaffNeeded": [({"value": 1}, True), ({}, False)],
    "SiteUnwell": [({"value": 1}, True), ({"value": 0}, False), ({}, False)],
    "SiteGone": [({"value": 0}, True), ({"value": 1}, False), ({}, True)],
    "DatabaseBusy": [({"value": 81}, True), ({"value": 80}, False), ({}, False)],
    "DatabaseFull": [({"value": 2**31 - 1}, True), ({"value": 2**31}, False), ({}, False)],
}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_rings_of_what_it_is_for_and_of_nothing_less(name: str) -> None:
    planted = PLANTED[name]
    assert {expected for _, expected in planted} == {True, False}
    assert [rings(ALARMS[name], values) for values, _ in planted] == [it for _, it in planted]


def test_only_signs_of_life_are_missed() -> None:
    """Of all others no news is good news: their metrics are written when there is something."""
    silent = {name for name, alarm in (ALARMS | DEAD_LETTERS).items() if rings(alarm, {})}
    assert silent == {"NoSweeps", "SiteGone"}


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_one_dead_letter_is_enough(name: str) -> None:
    assert rings(DEAD_LETTERS[name], {"value": 1})
    assert not rings(DEAD_LETTERS[name], {"value": 0})


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_not_more_than_cloudwatch_takes(name: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    alarm = ALARMS[name]
    stats = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    periods = {stat["Period"] for stat in stats} or {alarm["Period"]}
    assert len(stats) <= 10
    assert len(periods) == 1  # an expression of two periods has points that do not meet
    assert max(periods) * alarm["EvaluationPeriods"] <= 86_400


def tier_of(group: Group) -> FilledIn:
    """The template of a tier with what the stack gives it for a group."""
    told = template("gas.yaml")["Resources"][group.name.capitalize()]["Properties"]["Parameters"]
    given = {key: value for key, value in told.items() if isinstance(value, str)}
    least = {"Least": str(group.minimum), "Machines": f"gas-{group.name}"}
    return FilledIn("tier.yaml", {**GIVEN, **given, **least, "Awake": GIVEN["Topic"]})


#: Messages that wait and that are in hand of each queue, and machines in service.
BACKLOGS = [(0, 0, 0), (1, 0, 0), (7, 5, 3), (400, 16, 1), (0, 2, 4)]


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.name)
@pytest.mark.parametrize(("waiting", "in_hand", "machines"), BACKLOGS)
def test_a_group_is_scaled_by_all_that_waits_and_is_in_hand(
    group: Group, waiting: int, in_hand: int, machines: int
) -> None:
    [policy] = [
        each for each in resources("AWS::AutoScaling::ScalingPolicy") if "Backlog" in each.name
    ]
    tracked = tier_of(group).properties(policy)["TargetTrackingConfiguration"]
    queries = tracked["CustomizedMetricSpecification"]["Metrics"]
    [expression] = [each["Expression"] for each in queries if "Expression" in each]
    values = {"machines": machines} | {
        each["Id"]: waiting if each["Id"].startswith("visible") else in_hand
        for each in queries
        if each["Id"].startswith(("visible", "flying"))
    }
    of_all = len(group.queues) * (waiting + in_hand)
    assert value_of(expression, values) == of_all / max(machines, 1)


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.name)
def test_a_group_without_a_machine_wakes_when_one_message_comes(group: Group) -> None:
    alarms = tier_of(group).alarms()
    assert bool(alarms) is group.sleeps
    for alarm in alarms.values():
        last = f"visible{len(group.queues)}"
        assert rings(alarm, {last: 1})  # a group that never had a machine has no metric of them
        assert rings(alarm, {"visible1": 1, "machines": 0})
        assert not rings(alarm, {"visible1": 1000, "machines": 1})
        assert not rings(alarm, {"machines": 0})


@pytest.mark.deploy
def test_every_alarm_is_taken_by_an_api_of_cloudwatch_and_read_back(tmp_path: Path) -> None:
    made = [*ALARMS.values(), *DEAD_LETTERS.values()]
    made += [alarm for group in GROUPS.values() for alarm in tier_of(group).alarms().values()]
    with brokers.running("moto", tmp_path) as environment:
        session: Any = boto3.session.Session(region_name=REGION)
        watch = session.client(
            "cloudwatch",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
        for alarm in made:
            watch.put_metric_alarm(**{**alarm, "Threshold": float(alarm["Threshold"])})
        found = watch.describe_alarms(MaxRecords=100)["MetricAlarms"]
    kept = {each["AlarmName"]: each for each in found}
    assert kept.keys() == {alarm["AlarmName"] for alarm in made}
    for alarm in made:
        asked = {each["Id"]: each.get("Expression") for each in alarm.get("Metrics", [])}
        there = {
            each["Id"]: each.get("Expression")
            for each in kept[alarm["AlarmName"]].get("Metrics", [])
        }
        assert there == asked
