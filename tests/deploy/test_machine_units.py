"""The units of systemd: right by its own check, walled, and stopped without losing work."""

import re
import shutil
from pathlib import Path

import pytest

from celeryconfig import QUEUES
from gas.drain.presence import DRAINING
from gas.variables import VARIABLES
from tests.deploy.machine import MACHINE, UNITS, WALLS, lines_of, program, said_by

SERVICES = sorted(UNITS.glob("*.service"))
DAEMONS = [unit for unit in SERVICES if "Restart=always" in unit.read_text()]
NAMES = sorted(each.name for each in UNITS.iterdir() if each.is_file())
WORKER = UNITS / "gas-worker@.service"

#: The exposure that systemd may find, of 10.
MOST_EXPOSED = 2.5


def name_of(unit: Path) -> str:
    return unit.name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with our units, systemd's own and a program at each path that they name."""
    units = tmp_path / "etc/systemd/system"
    shutil.copytree(UNITS, units)
    shutil.copytree("/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for release in ("current", "releases/1"):
        for name in ("python", "celery", "gunicorn"):
            path = tmp_path / "opt/gas" / release / "venv/bin" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o755)
    (tmp_path / "usr/bin").mkdir()
    (tmp_path / "usr/bin/test").touch(0o755)
    return tmp_path


def verified(root: Path) -> str:
    """What systemd has to say against the units."""
    units = [name.replace("@.", "@1.") for name in NAMES]
    done = said_by(program("systemd-analyze"), "verify", "--man=no", f"--root={root}", *units)
    return done.stderr + done.stdout


def test_systemd_has_nothing_to_say_against_any_unit(root: Path) -> None:
    assert verified(root) == ""


@pytest.mark.parametrize("line", ["KillMood=mixed", "ExecStart=/nowhere"], ids=["slip", "path"])
def test_what_is_wrong_in_a_unit_would_be_said(root: Path, line: str) -> None:
    with (root / "etc/systemd/system/gas-beat.service").open("a") as unit:
        unit.write(f"\n[Service]\n{line}\n")
    assert "gas-beat.service" in verified(root)


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_every_service_is_walled(unit: Path) -> None:
    command = [program("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    done = said_by(*command, f"--threshold={int(10 * MOST_EXPOSED)}", unit)
    assert done.returncode == 0, done.stdout[-200:]


def test_a_service_without_its_walls_would_be_noticed(tmp_path: Path) -> None:
    unit = Path(shutil.copy(UNITS / "gas-web.service", tmp_path))
    command = [program("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    assert said_by(*command, f"--threshold={int(10 * MOST_EXPOSED)}", unit).returncode == 1


@pytest.mark.parametrize("unit", DAEMONS, ids=name_of)
def test_what_runs_for_ever_is_started_again_for_ever_and_ends_in_order(unit: Path) -> None:
    assert lines_of(unit, "KillMode") == ["mixed"]
    assert lines_of(unit, "KillSignal") == ["SIGTERM"]
    assert int(lines_of(unit, "TimeoutStopSec")[0]) >= 30
    assert lines_of(WALLS, "StartLimitIntervalSec") == ["0"]


def test_a_worker_is_left_the_time_of_its_longest_task() -> None:
    longest = max(queue.time_limit.total_seconds() for queue in QUEUES.values())
    assert int(lines_of(WORKER, "TimeoutStopSec")[0]) > longest


def test_a_worker_never_stops_softly() -> None:
    assert "SIGQUIT" not in WORKER.read_text()
    assert "soft" not in WORKER.read_text().lower()


@pytest.mark.parametrize("unit", SERVICES, ids=name_of)
def test_no_unit_holds_a_secret(unit: Path) -> None:
    told = [*lines_of(unit, "Environment"), *lines_of(WALLS, "Environment")]
    assert not [
        line for line in told if "KEY" in line or "PASSWORD" in line or "DATABASE_URL" in line
    ]
    assert lines_of(WALLS, "EnvironmentFile") == ["/etc/gas/settings.env", "-/run/gas/secrets.env"]


@pytest.mark.parametrize("unit", DAEMONS, ids=name_of)
def test_every_start_reads_the_secrets_anew(unit: Path) -> None:
    assert lines_of(unit, "ExecStartPre")[-1].endswith("-m gas.secret_store /run/gas")


def test_a_look_for_a_password_that_is_stopped_has_not_failed() -> None:
    """Each move to another release stops its timer; what it was at would stay as a failed unit."""
    assert lines_of(UNITS / "gas-secrets.service", "SuccessExitStatus") == ["SIGTERM"]


def test_no_worker_starts_while_its_machine_drains_and_each_tries_again() -> None:
    assert lines_of(WORKER, "ExecStartPre")[0] == f"/usr/bin/test ! -e /run/gas/{DRAINING}"
    assert lines_of(WORKER, "Restart") == ["always"]
    assert any("GAS_RUN_FOLDER=/run/gas" in line for line in lines_of(WALLS, "Environment"))


@pytest.mark.parametrize("unit", DAEMONS, ids=name_of)
def test_a_running_process_stays_with_its_release(unit: Path) -> None:
    """A script of a virtual environment names its release; `python` of the link would move on."""
    [start] = lines_of(unit, "ExecStart")
    starts_others = unit.name in {"gas-web.service", WORKER.name, "gas-beat.service"}
    assert not starts_others or "/venv/bin/python" not in start


def test_the_socket_outlives_a_restart_of_everything() -> None:
    assert not lines_of(UNITS / "gas-web.socket", "PartOf")
    assert lines_of(WALLS, "PartOf") == ["gas.target"]


def test_the_logs_of_every_unit_are_shipped() -> None:
    shipped = (UNITS.parent / "cloudwatch-agent.json").read_text()
    for unit in SERVICES:  # of those with an instance a machine has one that writes
        assert f'"/var/log/gas/{unit.stem.replace("@", "@*")}.log"' in shipped
    assert lines_of(WALLS, "StandardOutput") == ["append:/var/log/gas/%N.log"]


def test_lines_are_json_and_metrics_are_among_them() -> None:
    told = " ".join(lines_of(WALLS, "Environment")).split()
    assert {"GAS_MODE=production", "GAS_LOG_FORMAT=json", "GAS_METRICS=emf"} <= set(told)


def test_every_variable_of_a_machine_is_one_that_somebody_reads() -> None:
    files = [path for path in MACHINE.rglob("*") if path.is_file()]
    named = {name for path in files for name in re.findall(r"\bGAS_[A-Z_]+", path.read_text())}
    assert named
    assert named <= VARIABLES.keys()
