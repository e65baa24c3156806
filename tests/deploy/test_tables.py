"""What the templates repeat is what the code says: queues, groups, metrics, settings, user data."""

import json
import re
import textwrap
from typing import Any

import pytest

from celeryconfig import QUEUES, THAWED
from deploy.scaling import GROUPS, WARM_UP_SECONDS, Group
from dev.local_aws.provision import RETENTION
from gas.env import ROOT
from gas.metrics import METRICS
from gas.models import Status
from gas.variables import VARIABLES
from tasks.sweep import PARTS
from tests.deploy.machine import USER_DATA
from tests.deploy.templates import (
    FOLDER,
    Resource,
    listed,
    policies,
    resources,
    shown,
    template,
    within,
)

EVERY_QUEUE = [*QUEUES.values(), THAWED]

OURS = {metric.name: metric for metric in METRICS}
#: What else CloudWatch knows, of the services that the stack uses.
AWS_OWN = {
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"},
    "AWS/AutoScaling": {"GroupInServiceInstances", "GroupDesiredCapacity"},
    "AWS/RDS": {"CPUUtilization", "DatabaseConnections", "FreeStorageSpace"},
    "AWS/ApplicationELB": {
        "HealthyHostCount",
        "UnHealthyHostCount",
        "RequestCount",
        "HTTPCode_ELB_5XX_Count",
    },
}
#: The values that a dimension of ours can have.
VALUES = {
    "Queue": set(QUEUES),
    "Task": set(QUEUES),
    "Status": {*(status.value for status in Status), "2xx", "3xx", "4xx", "5xx"},
    "Part": set(PARTS),
    "Area": {"pages", "api", "staff", "webhook", "nowhere"},
    "Action": {"ReceiveMessage", "SendMessage", "DeleteMessage"},
    "Outcome": {
        *("completed", "failed", "cancelled", "archived", "restored"),
        *("settled", "refused", "put off"),
    },
}


def prefixed(name: str) -> dict[str, str]:
    """The name of a queue as templates write it."""
    return {"Fn::Sub": f"${{Service}}-{name}"}


def queue_named(name: str) -> Resource:
    """The queue of the templates with this name at AWS, without the prefix."""
    [found] = [
        each
        for each in resources("AWS::SQS::Queue")
        if each.properties["QueueName"] == prefixed(name)
    ]
    return found


def test_there_is_no_queue_but_those_of_the_table() -> None:
    found = {shown(each.properties["QueueName"]) for each in resources("AWS::SQS::Queue")}
    names = {queue.name for queue in EVERY_QUEUE}
    assert found == {f"${{Service}}-{name}{end}" for name in names for end in ("", "-dead")}


@pytest.mark.parametrize("queue", EVERY_QUEUE, ids=lambda queue: queue.name)
def test_a_queue_is_as_the_table_says(queue: Any) -> None:
    found = queue_named(queue.name).properties
    dead = queue_named(f"{queue.name}-dead")
    assert found["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [dead.name, "Arn"]},
        "maxReceiveCount": queue.max_receives,
    }
    assert found["VisibilityTimeout"] == {"Ref": "VisibilityTimeout"}
    default = template("gas.yaml")["Parameters"]["VisibilityTimeout"]["Default"]
    assert default == queue.visibility_timeout
    for each in (found, dead.properties):
        assert each["MessageRetentionPeriod"] == RETENTION


@pytest.mark.parametrize("queue", EVERY_QUEUE, ids=lambda queue: queue.name)
def test_a_dead_letter_of_any_queue_raises_an_alarm(queue: Any) -> None:
    dimension = {"Name": "QueueName", "Value": prefixed(f"{queue.name}-dead")}
    [alarm] = [
        each
        for each in resources("AWS::CloudWatch::Alarm")
        if each.properties.get("Dimensions") == [dimension]
    ]
    assert alarm.properties["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm.properties["Threshold"], alarm.properties["AlarmActions"]) == (
        0,
        [{"Ref": "Topic"}],
    )


def measured() -> list[tuple[str, str, str, dict[str, str]]]:
    """Where each metric is looked at, its namespace, its name and its dimensions."""
    found = []
    for resource in resources():
        for part in within(resource.whole):
            if isinstance(part, dict) and "MetricName" in part:
                dimensions = {
                    each["Name"]: shown(each["Value"]) for each in part.get("Dimensions", [])
                }
                namespace = shown(part["Namespace"])
                found.append((str(resource), namespace, part["MetricName"], dimensions))
    return found + drawn()


def drawn() -> list[tuple[str, str, str, dict[str, str]]]:
    """The same for the dashboard, whose lines are `[namespace, name, dimension, value, ...]`."""
    [board] = resources("AWS::CloudWatch::Dashboard")
    widgets = json.loads(board.properties["DashboardBody"]["Fn::Sub"])["widgets"]
    lines = [line for widget in widgets for line in widget["properties"]["metrics"]]
    plain = [[part for part in line if isinstance(part, str)] for line in lines]
    return [
        (str(board), line[0], line[1], dict(zip(line[2::2], line[3::2], strict=True)))
        for line in plain
    ]


def test_every_metric_that_is_looked_at_exists() -> None:
    assert len(measured()) > 60
    for where, namespace, name, dimensions in measured():
        if namespace == "${Service}":
            assert set(dimensions) == set(OURS[name].dimensions), (where, name)
            for key, value in dimensions.items():
                assert value in VALUES[key], (where, name, value)
        else:
            assert name in AWS_OWN[namespace], (where, name)


def test_every_alarm_that_the_guide_thinks_worth_having_is_there() -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    table = guide.partition("### Alarms worth having")[2].partition("### Alarms by mail")[0]
    wanted = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) - {"DeadLetters"}
    watched = {name for where, _, name, _ in measured() if "alarms.yaml:" in where}
    assert wanted - watched == set()
    assert len(wanted) > 8


def test_every_expression_names_the_metrics_that_stand_beside_it() -> None:
    for alarm in resources("AWS::CloudWatch::Alarm"):
        queries = alarm.properties.get("Metrics", [])
        ids = {each["Id"] for each in queries if "Id" in each}
        for each in queries:
            if alarm.template.endswith("alarms.yaml") and "Expression" in each:
                used = set(re.findall(r"\b[a-z]\w*\b", each["Expression"]))
                assert used == ids - {each["Id"]}, str(alarm)


def tier(name: str) -> dict[str, Any]:
    """The parameters of a tier, in the stack."""
    found: dict[str, Any] = template("gas.yaml")["Resources"][name]["Properties"]["Parameters"]
    return found


def default_of(value: Any) -> Any:
    """A value, or the default of the parameter that it is."""
    parameters = template("gas.yaml")["Parameters"]
    return parameters[value["Ref"]]["Default"] if isinstance(value, dict) else value


@pytest.mark.parametrize("group", GROUPS.values(), ids=lambda group: group.name)
def test_a_group_of_workers_is_as_the_table_says(group: Group) -> None:
    given = tier(group.name.capitalize())
    taken = tuple(given[key] for key in ("First", "Second", "Third") if key in given)
    assert (given["Group"], taken) == (group.name, group.queues)
    told = [default_of(given[key]) for key in ("Machine", "Concurrency", "Target", "Least")]
    assert told == [group.machine, group.processes, group.target, group.minimum]
    sizes = template("gas.yaml")["Mappings"]["Sizes"]
    most = given["Most"]["Fn::FindInMap"][2]
    assert (sizes["small"][most], sizes["large"][most]) == (group.most_small, group.most_large)
    assert template("tier.yaml")["Parameters"]["WarmUp"]["Default"] == WARM_UP_SECONDS


def test_every_queue_is_taken_by_one_group() -> None:
    taken = [queue for group in GROUPS.values() for queue in group.queues]
    assert sorted(taken) == sorted(QUEUES)


def test_a_machine_is_told_what_is_written_for_it() -> None:
    [machines] = resources("AWS::EC2::LaunchTemplate")
    text = machines.properties["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Sub"][0]
    assert textwrap.dedent(text).strip() == USER_DATA.read_text().strip()


@pytest.mark.parametrize("name", ["Web", "Beat", *map(str.capitalize, GROUPS)])
def test_a_machine_is_told_of_the_secrets_that_its_role_may_read(name: str) -> None:
    output = shown(tier(name)["Settings64"]).strip("${}").rpartition(".")[2]
    told = template("settings.yaml")["Outputs"][output]["Value"]["Fn::Base64"]["Fn::Sub"]
    [allowed] = [
        each["Resource"]
        for role, each in policies()
        if role.name == name and "secretsmanager:GetSecretValue" in listed(each["Action"])
    ]
    [named] = re.findall(r"GAS_SECRETS=(\S+)\n", told)
    assert named.split(",") == [shown(each) for each in listed(allowed)]


def test_no_migration_seals_or_signs() -> None:
    """It may run on a machine of annotate, whose key opens nothing that others wrote."""
    for file in (ROOT / "gas/migrations").glob("*.py"):
        assert not re.search(r"\b(sealing|signing|TOKEN_KEYS|SECRET_KEY)\b", file.read_text()), file


def test_every_setting_that_a_machine_is_given_is_one() -> None:
    text = (FOLDER / "settings.yaml").read_text()
    names = re.findall(r"\b([A-Z][A-Z_]+)=", text)
    assert {name for name in names if name not in VARIABLES} == {"LOG_GROUP", "NAME"}
    assert not {name for name in names if name in VARIABLES and VARIABLES[name].secret} - {
        "DATABASE_URL"  # without user and password, which libpq reads elsewhere
    }
    assert "service=gas" in text
    assert "@" not in re.findall(r"DATABASE_URL=\S+", text)[0]
