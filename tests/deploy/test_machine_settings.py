"""What a machine of each tier is told and reads: our programs start with it, and miss nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.check_deploy import PRODUCTION
from gas import secret_store
from gas.env import ROOT
from tests.deploy.filled_in import FilledIn
from tests.deploy.machine import WALLS, lines_of
from tests.deploy.templates import resources, template

#: What the stack gives the template of settings, with all that an operator may choose.
GIVEN = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "Service": "gas",
    "Domain": "gas.example.org",
    "MailFrom": "no-reply@gas.example.org",
    "Admins": "operators@gas.example.org",
    "Staff": "",
    "Onlookers": "00000000-0000-4000-8000-000000000001,00000000-0000-4000-8000-000000000002",
    "Bundle": "grch38",
    "Vault": "results",
    "More": "GAS_LOG=INFO,GAS_FREE_RETENTION=1h",
    "Inputs": "gas-inputs-123456789012-eu-central-1",
    "Results": "gas-results-123456789012-eu-central-1",
    "Archive": "gas-archive-123456789012-eu-central-1",
    "JobEvents": "arn:aws:sns:eu-central-1:123456789012:gas-job-events",
    "DatabaseHost": "gas.0123.eu-central-1.rds.amazonaws.com",
    "DatabaseSecret": "gas/database",
    "Settings": "gas/settings",
    "SiteSettings": "gas/site",
    "AnnotateSettings": "gas/provenance",
}
#: What the secrets hold once an operator has filled them in as the guide says.
KEPT = {
    "gas/settings": ["GAS_SECRET_KEY"],
    "gas/site": [name for name in PRODUCTION if name.startswith(("GAS_GLOBUS_", "GAS_STRIPE_"))],
    "gas/provenance": ["GAS_SECRET_KEY"],
}
#: Of each text of settings what a machine with it is asked: the keys of the site are there alone.
ASKED = [
    pytest.param("Site64", ["--deploy"], id="site"),
    pytest.param("Worker64", [], id="worker", marks=pytest.mark.deploy),
    pytest.param("Annotate64", [], id="annotate", marks=pytest.mark.deploy),
]


class Store:
    """Secrets Manager, of which a role may read what it is told of."""

    def read(self, secret: str) -> str:
        """What an operator has put there."""
        held = {name: PRODUCTION[name] for name in KEPT[secret]}
        if secret == "gas/site":
            held["GAS_PROVENANCE_PUBLIC_KEY"] = pem()
        return json.dumps(held)


def pem() -> str:
    """A public key as `openssl pkey -pubout` writes it."""
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def told(output: str, **given: str) -> dict[str, str]:
    """What user data writes to `/etc/gas/settings.env`, as systemd reads it."""
    filled = FilledIn("settings.yaml", GIVEN | given)
    [parameter] = resources("AWS::SSM::Parameter")
    text = filled.properties(parameter)["Value"]
    whole = FilledIn("settings.yaml", {**filled.given, "Text.Value": text})
    lines = whole.read(template("settings.yaml")["Outputs"][output]["Value"]["Fn::Base64"])
    return dict(line.split("=", 1) for line in lines.splitlines())


def around(settings: dict[str, str], folder: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a process of the tier: its unit, its settings, its secrets."""
    patch.setenv("GAS_SECRETS", settings["GAS_SECRETS"])
    assert secret_store.main([str(folder)], store=Store()) == 0
    unit = dict(
        each.split("=", 1) for line in lines_of(WALLS, "Environment") for each in line.split()
    )
    quoted = (folder / "secrets.env").read_text().splitlines()
    secrets = {name: json.loads(value) for name, value in (line.split("=", 1) for line in quoted)}
    return {"PATH": os.environ["PATH"], **unit, **settings, **secrets}


@pytest.mark.parametrize(("output", "more"), ASKED)
def test_a_machine_has_every_variable_that_a_production_asks_for_and_none_that_nobody_reads(
    output: str, more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = around(told(output), tmp_path, monkeypatch)
    assert environment["GAS_MODE"] == "production"
    command = [sys.executable, "manage.py", "check", "--fail-level", "WARNING", *more]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_what_is_not_chosen_is_not_told() -> None:
    plain = told("Site64", Bundle="", Vault="", More="GAS_LOG=INFO")
    assert not {"GAS_BUNDLE", "GAS_ARCHIVE", "GAS_GLACIER_VAULT", "GAS_FREE_RETENTION"} & set(plain)
    assert plain["GAS_LOG"] == "INFO"


def test_a_list_stays_one_line() -> None:
    assert told("Site64")["GAS_STAFF_ONLOOKERS"] == GIVEN["Onlookers"]
