"""The rules that every template keeps, whatever it describes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gas.env import ROOT
from gas.webhooks.addresses import BadAddress, target_of
from tests.deploy.templates import (
    FOLDER,
    NAMES,
    Resource,
    listed,
    policies,
    resources,
    shown,
    template,
    within,
)

#: Why a statement allows something on everything.
REASONS = {"SessionsOfOperators": "none of the actions can be limited to a resource"}

GUIDE = (ROOT / "docs/deploy.md").read_text()


def named(found: list[Resource]) -> pytest.MarkDecorator:
    """One test for each resource, by its name."""
    return pytest.mark.parametrize("resource", found, ids=str)


@pytest.mark.deploy
@pytest.mark.parametrize("name", NAMES)
def test_cfn_lint_has_nothing_to_say(name: str) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(
        [str(lint) if lint.exists() else shutil.which("cfn-lint") or "cfn-lint", FOLDER / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_cloudformation_takes_a_template_of_this_size(name: str) -> None:
    assert (FOLDER / name).stat().st_size < 51_200  # of a body; of an object 1 MB


def test_every_template_is_part_of_the_stack() -> None:
    nested = {
        shown(each.properties["TemplateURL"]).rpartition("/")[2]
        for each in resources("AWS::CloudFormation::Stack")
    }
    assert nested | {"gas.yaml"} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "statement"),
    [(str(resource), each) for resource, each in policies()],
    ids=[f"{resource}-{each['Sid']}" for resource, each in policies()],
)
def test_no_role_is_given_everything_of_anything(name: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
    assert not [action for action in listed(statement["Action"]) if "*" in action]
    if statement["Sid"] not in REASONS:
        for where in map(shown, listed(statement["Resource"])):
            assert where != "*"
            assert not re.search(r":::\*|^\*|/\*/\*", where), where


def test_every_reason_for_everything_is_still_needed() -> None:
    wide = {each["Sid"] for _, each in policies() if "*" in map(shown, listed(each["Resource"]))}
    assert wide == REASONS.keys()


def test_roles_are_those_of_machines_alone() -> None:
    for role in resources("AWS::IAM::Role"):
        [trust] = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "ec2.amazonaws.com"}


@named(resources("AWS::EC2::LaunchTemplate"))
def test_machines_give_their_role_to_those_alone_who_hold_a_token(resource: Resource) -> None:
    options = resource.properties["LaunchTemplateData"]["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    assert options["InstanceMetadataTags"] == "enabled"  # the agent of draining reads its group


@named(resources("AWS::EC2::LaunchTemplate"))
def test_disks_are_encrypted_and_nobody_comes_in_by_a_key(resource: Resource) -> None:
    machine = resource.properties["LaunchTemplateData"]
    assert all(disk["Ebs"]["Encrypted"] is True for disk in machine["BlockDeviceMappings"])
    assert "KeyName" not in machine


@named(resources("AWS::S3::Bucket"))
def test_buckets_are_private_sealed_and_outlive_the_stack(resource: Resource) -> None:
    bucket = resource.properties
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert resource.whole["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource.whole["UpdateReplacePolicy"] == "Retain"
    assert "AbortIncompleteMultipartUpload" in str(bucket["LifecycleConfiguration"])


@named(resources("AWS::SQS::Queue") + resources("AWS::SNS::Topic"))
def test_messages_are_sealed(resource: Resource) -> None:
    kept = resource.properties
    assert kept.get("SqsManagedSseEnabled") is True or "KmsMasterKeyId" in kept


#: The policies of what others may be let into, what of them is named, and what is refused.
BY_TLS = {
    "AWS::S3::Bucket": ("AWS::S3::BucketPolicy", "Bucket", "s3:*"),
    "AWS::SQS::Queue": ("AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
    "AWS::SNS::Topic": ("AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
}


@named([each for kind in BY_TLS for each in resources(kind)])
def test_nothing_is_said_in_the_open(resource: Resource) -> None:
    kind, property_, action = BY_TLS[resource.kind]
    [policy] = [
        each
        for each in resources(kind)
        if {"Ref": resource.name} in listed(each.properties[property_])
    ]
    first = policy.properties["PolicyDocument"]["Statement"][0]
    assert (first["Effect"], first["Principal"], first["Action"]) == ("Deny", "*", action)
    assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    covered = " ".join(map(shown, listed(first["Resource"])))
    assert resource.name in covered or "${Service}-*" in covered


def test_only_the_load_balancer_can_be_called_from_everywhere() -> None:
    for group in resources("AWS::EC2::SecurityGroup"):
        rules = group.properties.get("SecurityGroupIngress", [])
        everywhere = {rule["FromPort"] for rule in rules if rule.get("CidrIp") == "0.0.0.0/0"}
        assert everywhere == ({80, 443} if group.name == "Balancer" else set())
        assert group.properties["SecurityGroupEgress"]  # without any, everything may go out


#: The ports to which machines of a tier may begin a connection, by what it is for.
HTTPS, DATABASE, MAILS, WEBHOOKS = (443, 443), (5432, 5432), (587, 587), (1024, 65535)
CALLED = {
    "Web": {HTTPS, DATABASE},
    "Beat": {HTTPS, DATABASE},
    "Annotate": {HTTPS, DATABASE},
    "Copies": {HTTPS, DATABASE},
    "Deliver": {HTTPS, DATABASE, WEBHOOKS},
    "Short": {HTTPS, DATABASE, MAILS},
}


@pytest.mark.parametrize("tier", CALLED)
def test_a_machine_may_call_what_its_work_calls_and_nothing_else(tier: str) -> None:
    told = template("gas.yaml")["Resources"][tier]["Properties"]["Parameters"]["SecurityGroups"]
    output = template("network.yaml")["Outputs"][told["Fn::GetAtt"][1].partition(".")[2]]["Value"]
    names = {
        part["Ref"] for part in within({"it": output}) if isinstance(part, dict) and "Ref" in part
    }
    rules = [
        rule
        for group in resources("AWS::EC2::SecurityGroup")
        if group.name in names
        for rule in group.properties["SecurityGroupEgress"]
    ]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == CALLED[tier]


def test_deliveries_reach_every_port_that_a_webhook_may_have() -> None:
    first, last = WEBHOOKS
    for port in (first, last):
        assert target_of(f"https://hooks.gas.example.org:{port}/").port == port
    with pytest.raises(BadAddress):
        target_of(f"https://hooks.gas.example.org:{first - 1}/")


def test_what_is_not_encrypted_is_only_told_where_to_go() -> None:
    for listener in resources("AWS::ElasticLoadBalancingV2::Listener"):
        [action] = listener.properties["DefaultActions"]
        if listener.properties["Protocol"] == "HTTP":
            assert action["RedirectConfig"]["Protocol"] == "HTTPS"
        else:
            assert "TLS13" in listener.properties["SslPolicy"]


@named(resources("AWS::RDS::DBInstance"))
def test_the_database_is_sealed_hidden_and_kept(resource: Resource) -> None:
    database = resource.properties
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert resource.whole["DeletionPolicy"] == "Snapshot"
    [settings] = resources("AWS::RDS::DBParameterGroup")
    assert settings.properties["Parameters"] == {"rds.force_ssl": "1"}


def test_no_template_holds_a_secret() -> None:
    for resource in resources():
        for part in within(resource.properties):
            if isinstance(part, dict) and "MasterUserPassword" in part:
                assert shown(part["MasterUserPassword"]).startswith("{{resolve:secretsmanager:")


def test_spot_machines_are_as_large_as_those_that_they_stand_in_for() -> None:
    """`AnnotateProcesses` fits both; an operator who changes one kind can change the other."""
    parameters = template("gas.yaml")["Parameters"]
    _, size = parameters["AnnotateMachine"]["Default"].split(".")
    kinds = parameters["AnnotateSpotMachines"]["Default"].split(",")
    assert [kind.split(".")[1] for kind in kinds] == [size] * 4
    told = template("gas.yaml")["Resources"]["Annotate"]["Properties"]["Parameters"]
    assert "AnnotateSpotMachines" in str(told["SpotMachines"])


def test_every_parameter_of_the_stack_says_what_it_is_or_is_in_the_guide() -> None:
    for name, parameter in template("gas.yaml")["Parameters"].items():
        assert "Default" in parameter or f'"{name}"' in GUIDE, name


def test_every_output_of_the_stack_is_in_the_guide() -> None:
    missing = [name for name in template("gas.yaml")["Outputs"] if f"`{name}`" not in GUIDE]
    assert missing == []
