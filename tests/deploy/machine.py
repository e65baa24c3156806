"""The files of a machine, and the programs of Debian that judge them."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gas.env import ROOT

MACHINE = ROOT / "deploy/machine"
UNITS = MACHINE / "units"
WALLS = UNITS / "gas-.service.d/walls.conf"
USER_DATA = MACHINE / "user-data.yaml"

#: What tier.yaml fills in for a worker of annotate.
FILLED_IN = {
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "gas-annotate",
    "Service": "gas",
    "Tier": "worker",
    "Group": "annotate",
    "Queues": "annotate",
    "Concurrency": "2",
    "Release": "20260102-0304-0123abcd",
    "ReleaseSha256": "0" * 64,
    "ReleaseBucket": "gas-releases",
    "Bundle": "grch38",
    "Warm": "0",
    "Settings64": "R0FTX01PREU9cHJvZHVjdGlvbgo=",
}


def program(name: str) -> str:
    """Where a program lies; the test is skipped, saying so, where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; `make deploy-test` installs it")
    return found


def said_by(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it says."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def filled_in(values: Mapping[str, str] = FILLED_IN) -> str:
    """The user data as CloudFormation's Fn::Sub gives it to a machine."""
    return re.sub(r"\$\{([A-Za-z0-9:]+)\}", lambda hit: values[hit[1]], USER_DATA.read_text())


def cloud_config(values: Mapping[str, str] = FILLED_IN) -> dict[str, Any]:
    """The user data as cloud-init reads it."""
    read: dict[str, Any] = yaml.safe_load(filled_in(values))
    return read


def lines_of(unit: Path, key: str) -> list[str]:
    """The values of a key of a unit, continued lines joined."""
    text = unit.read_text().replace("\\\n", " ")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
