"""The operator's guide: its commands are taken, its names exist, its tables are of the code."""

import re
import shlex

import pytest
from django.core.management import call_command, get_commands, load_command_class

from gas.env import ROOT
from gas.logs.context import FIELDS
from gas.metrics import METRICS
from gas.variables import VARIABLES
from tasks.sweep import PARTS

GUIDE = (ROOT / "docs/operations.md").read_text()
BLOCKS = re.findall(r"```\n(.+?)```", GUIDE, re.DOTALL)
IN_TEXT = re.findall(r"`(python manage\.py [^`]+)`", GUIDE)
COMMANDS = sorted(
    {line for block in BLOCKS for line in block.splitlines() if line.startswith("python")}
    | set(IN_TEXT)
)
QUERIES = [
    block for block in BLOCKS if "| sort" in block or "| stats" in block or "filter" in block
]
BASE = {"time", "level", "logger", "event", "exception"}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one_that_the_service_has(line: str) -> None:
    _python, _manage, name, *arguments = shlex.split(line)
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["status", "reseal", "check", "maintenance"])
def test_what_only_looks_or_changes_nothing_runs(
    name: str, world: object, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(name)
    assert capsys.readouterr().out


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", GUIDE, re.MULTILINE)
    told = [(name, unit, tuple(re.findall(r"`(\w+)`", by)), what) for name, unit, by, what in rows]
    assert told == [(m.name, m.unit.value, m.dimensions, m.what) for m in METRICS]


def test_the_table_of_fields_is_that_of_the_code() -> None:
    table = GUIDE.partition("| field |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE))
    assert {name: what for name, what in rows.items() if name not in BASE} == FIELDS
    assert rows.keys() >= BASE


def test_every_query_asks_for_fields_that_lines_have() -> None:
    assert len(QUERIES) >= 4
    known = BASE | FIELDS.keys() | {"requests", "p95", "slowest", "times"}
    syntax = {"fields", "filter", "sort", "stats", "count", "pct", "max", "bin", "as", "by", "in"}
    for query in QUERIES:
        bare = re.sub(r'"[^"]*"|@\w+|\b\d\w*\b', "", query)
        words = set(re.findall(r"\b[a-z_]\w*\b", bare)) - syntax - {"desc", "and", "or"}
        assert words <= known, query


def test_every_alarm_is_about_a_metric_and_leads_to_advice() -> None:
    table = GUIDE.partition("### Alarms worth having")[2].partition("### Alarms by mail")[0]
    names = {metric.name for metric in METRICS}
    rows = re.findall(r"^\| `(\w+)`.*\| (.+) \|$", table, re.MULTILINE)
    assert len(rows) > 10
    for name, advice in rows:
        assert name in names
        for place in re.findall(r'"([^"]+)"', advice):
            assert f"**{place}" in GUIDE, place


def test_every_setting_and_every_part_of_the_sweep_that_it_names_exists() -> None:
    assert set(re.findall(r"\bGAS_[A-Z_]+[A-Z]\b", GUIDE)) <= VARIABLES.keys()
    findings = GUIDE.partition("**The sweeper finds work**")[2].partition("\n\n")[0]
    assert set(re.findall(r'"([^"]+)":', findings)) <= PARTS.keys()


def test_every_secret_setting_has_a_way_to_be_changed() -> None:
    table = GUIDE.partition("## Rotate secrets")[2].partition("## The log")[0]
    by_role = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GAS_PREVIOUS_SECRET_KEYS"}
    secret = {name for name, variable in VARIABLES.items() if variable.secret} - by_role
    assert {name for name in secret if name not in table} == set()
    assert "AWS credentials" in table
