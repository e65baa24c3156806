"""What a machine does at its first start: cloud-init's own check, and ours of what it would run."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.deploy.machine import (
    FILLED_IN,
    MACHINE,
    USER_DATA,
    cloud_config,
    filled_in,
    program,
    said_by,
)

#: The most that EC2 takes, in bytes.
MOST_BYTES = 16_384


def written(path: str, values: Mapping[str, str] = FILLED_IN) -> str:
    """What cloud-init writes to a path."""
    [file] = [each for each in cloud_config(values)["write_files"] if each["path"] == path]
    text = str(file["content"])
    return base64.b64decode(text).decode() if file.get("encoding") == "b64" else text


@pytest.mark.parametrize("kind", ["as written", "filled in"])
def test_cloud_init_knows_every_line(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "user-data"
    file.write_text(USER_DATA.read_text() if kind == "as written" else filled_in())
    done = said_by(program("cloud-init"), "schema", "--config-file", file)
    assert done.returncode == 0, done.stderr
    assert "Valid cloud-config" in done.stdout


def test_it_is_a_cloud_config_that_ec2_takes() -> None:
    assert filled_in().startswith("#cloud-config\n")
    assert len(filled_in().encode()) < MOST_BYTES


def test_it_asks_for_nothing_that_was_not_agreed_on() -> None:
    asked = set(re.findall(r"\$\{([^}]*)\}", USER_DATA.read_text()))
    assert asked == FILLED_IN.keys()


def test_settings_are_never_read_as_yaml_or_by_a_shell() -> None:
    assert written("/etc/gas/settings.env") == "GAS_MODE=production\n"
    assert "settings.env" not in written("/usr/local/sbin/gas-first-start")


def test_it_holds_no_secret_and_no_way_in() -> None:
    text = USER_DATA.read_text()
    assert not re.search(r"(?i)aws_(secret_)?access_key|password:|ssh_authorized|BEGIN ", text)
    assert cloud_config()["ssh_pwauth"] is False


def test_a_release_is_checked_before_anything_of_it_runs() -> None:
    script = written("/usr/local/sbin/gas-first-start")
    order = [script.index(step) for step in ("s3 cp", "sha256sum --check", "tar -xzf", "unpack")]
    assert order == sorted(order)


#: Stands in for each program: writes down how it was called, and fails where it is told to.
STAND_IN = """#!/bin/bash
echo "${0##*/} $*" >>"$HEARD"
[ "${0##*/}" != sha256sum ] || cat >/dev/null  # who writes to it must not find it gone
[[ "${0##*/} $*" != *"$FAILING"* ]]
"""
CALLED = ("aws", "cloud-init", "install", "ln", "rm", "sha256sum", "shutdown", "tar")
CAN_WORK = "/usr/local/sbin/gas-can-work"


def first_start(folder: Path, failing: str) -> list[str]:
    """Run the script with stand-ins for all that it calls; what was called, in order."""
    release = FILLED_IN["Release"]
    ours = (f"gas-{release}/deploy/machine", f"releases/{release}/deploy/machine")
    called = (*CALLED, Path(CAN_WORK).name)
    for path in [*(f"bin/{name}" for name in called), *(f"{each}/install" for each in ours)]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(STAND_IN)
        (folder / path).chmod(0o755)
    script = written("/usr/local/sbin/gas-first-start").replace("/opt/gas", str(folder))
    script = script.replace("/usr/local/sbin", f"{folder}/bin")
    heard = folder / "heard"
    around = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HEARD": str(heard), "FAILING": failing}
    said_by("/bin/bash", "-c", script, env=around, cwd=folder)
    return heard.read_text().splitlines()


def test_a_machine_that_serves_tells_its_stack(tmp_path: Path) -> None:
    calls = first_start(tmp_path, failing="nothing at all")
    assert f"install serve {FILLED_IN['Release']} worker annotate" in calls
    [told] = [call for call in calls if "--logical-resource-id Machines --status SUCCESS" in call]
    assert not [call for call in calls if call.startswith("shutdown")]
    # That it can work it says now, and whenever it is started again.
    first, again = calls[calls.index(told) + 1 :][:2]
    assert first.strip() == "gas-can-work"
    assert again.startswith("ln ")
    assert again.endswith("gas-can-work /var/lib/cloud/scripts/per-boot/")


def can_work(folder: Path, warm: str) -> list[str]:
    """What AWS is called for when a machine says that it can work, as each start does."""
    (folder / "bin").mkdir()
    for name in ("aws", "cloud-init"):
        (folder / "bin" / name).write_text(STAND_IN)
        (folder / "bin" / name).chmod(0o755)
    heard = folder / "heard"
    heard.touch()
    around = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HEARD": str(heard), "FAILING": "aws"}
    script = written(CAN_WORK, FILLED_IN | {"Warm": warm})
    assert said_by("/bin/bash", "-c", script, env=around, cwd=folder).returncode == 0
    return [call for call in heard.read_text().splitlines() if call.startswith("aws ")]


def test_a_group_with_a_pool_of_stopped_machines_waits_for_the_first_start(tmp_path: Path) -> None:
    [call] = can_work(tmp_path, "2")
    assert "complete-lifecycle-action --lifecycle-hook-name first-start" in call
    assert "--auto-scaling-group-name gas-annotate" in call


def test_a_group_without_a_pool_is_told_nothing(tmp_path: Path) -> None:
    assert can_work(tmp_path, "0") == []


@pytest.mark.parametrize("step", ["aws s3 cp", "sha256sum", "install unpack", "install serve"])
def test_a_machine_that_failed_tells_its_stack_and_goes(tmp_path: Path, step: str) -> None:
    calls = first_start(tmp_path, failing=step)
    assert not [call for call in calls if "SUCCESS" in call]
    assert [call for call in calls if "--status FAILURE" in call]
    assert calls[-1] == "shutdown -P +2"


def test_no_machine_outside_an_update_stays_for_want_of_a_listener(tmp_path: Path) -> None:
    calls = first_start(tmp_path, failing="aws cloudformation")
    assert not [call for call in calls if call.startswith("shutdown")]


@pytest.mark.parametrize("name", ["install", "release", "gas-manage"])
def test_shellcheck_has_nothing_to_say_against_a_script(name: str) -> None:
    done = said_by(program("shellcheck"), MACHINE / name)
    assert done.stdout == ""


#: Variables of the shell in place of what CloudFormation fills in.
IN_PLACE = {name: f"$V_{name.replace(':', '')}" for name in FILLED_IN}


@pytest.mark.parametrize("name", ["gas-first-start", "gas-can-work"])
def test_shellcheck_has_nothing_to_say_against_what_cloud_init_writes(
    tmp_path: Path, name: str
) -> None:
    script = tmp_path / name
    script.write_text(written(f"/usr/local/sbin/{name}", IN_PLACE))
    done = said_by(program("shellcheck"), "--exclude=SC2154", script)
    assert done.stdout == ""


def test_the_agent_ships_to_the_group_that_the_stack_names() -> None:
    shipped = json.loads((MACHINE / "cloudwatch-agent.json").read_text())
    entries = shipped["logs"]["logs_collected"]["files"]["collect_list"]
    assert {each["log_group_name"] for each in entries} == {"@LOG_GROUP@"}
    assert len({each["log_stream_name"] for each in entries}) == len(entries)
    assert all(each["log_stream_name"].startswith("{instance_id}/") for each in entries)
