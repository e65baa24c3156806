"""The stack as it is changed: to a release, by a change that fails, and to its end."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.scaling import GROUPS
from tests.deploy.cloud import CAPABILITIES, RELEASE, SERVICE, Cloud, body
from tests.deploy.rights import TIERS

pytestmark = pytest.mark.deploy

LARGE, NEXT, THIRD = "large", "20260203-0405-89abcdef", "20260304-0506-fedcba98"


@pytest.fixture(scope="module")
def large(cloud: Cloud) -> dict[str, str]:
    """A stack of the large profile: what it tells an operator."""
    return cloud.deploy(LARGE, Profile="large")


def groups(cloud: Cloud) -> dict[str, dict[str, Any]]:
    """The groups of machines of the large stack, by tier."""
    found = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    names = {each["AutoScalingGroupName"].partition("-"): each for each in found}
    return {tier: each for (stack, _, tier), each in names.items() if stack == LARGE}


def release_of(cloud: Cloud, tier: str) -> str:
    """The release that the next machine of a tier would fetch."""
    asked = groups(cloud)[tier]["LaunchTemplate"]
    [version] = cloud.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=asked["LaunchTemplateId"], Versions=[asked["Version"]]
    )["LaunchTemplateVersions"]
    text = base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()
    [release] = {name for name in (RELEASE, NEXT, THIRD) if f"releases/gas-{name}.tar.gz" in text}
    return release


def test_the_large_profile_has_all_of_it_in_two_zones(cloud: Cloud, large: dict[str, str]) -> None:
    found = groups(cloud)
    assert found.keys() == set(TIERS)
    assert (found["web"]["MinSize"], found["web"]["MaxSize"]) == (2, 12)
    assert len(found["web"]["VPCZoneIdentifier"].split(",")) == 2
    for group in GROUPS.values():
        sizes = found[group.name]["MinSize"], found[group.name]["MaxSize"]
        assert sizes == (group.minimum, group.most_large)
    [database] = cloud.client("rds").describe_db_instances()["DBInstances"]
    assert database["DBInstanceClass"] == "db.m7g.large"
    assert (database["MultiAZ"], database["BackupRetentionPeriod"]) == (True, 30)


def test_a_new_release_is_what_the_next_machine_of_each_tier_fetches(
    cloud: Cloud, large: dict[str, str]
) -> None:
    assert {release_of(cloud, tier) for tier in TIERS} == {RELEASE}
    changed = cloud.change(LARGE, Profile="large", Release=NEXT)
    assert changed == sorted(map(str.capitalize, TIERS))  # and nothing that anybody owns
    assert {release_of(cloud, tier) for tier in TIERS} == {NEXT}


def test_a_change_that_fails_is_taken_back_and_no_message_or_file_is_touched(
    cloud: Cloud, large: dict[str, str]
) -> None:
    now = {"Profile": "large", "Release": release_of(cloud, "web")}
    s3, sqs = cloud.client("s3"), cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{LARGE}-annotate")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    s3.put_object(Bucket=large["Results"], Key="results/1/1/a", Body=b"kept")

    cloud.fail_to_change(LARGE, **now | {"Release": THIRD, "MostWait": "60"})
    assert cloud.settled(LARGE, "UPDATE_ROLLBACK_COMPLETE") == large
    assert {release_of(cloud, tier) for tier in TIERS} == {now["Release"]}
    [alarm] = cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{LARGE}-jobs-wait"])[
        "MetricAlarms"
    ]
    assert alarm["Threshold"] == 1800
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "kept"
    assert s3.get_object(Bucket=large["Results"], Key="results/1/1/a")["Body"].read() == b"kept"


def test_a_stack_is_changed_by_a_change_set_and_goes_when_it_is_deleted(cloud: Cloud) -> None:
    cloud.deploy("other", MostWait="600")
    changed = cloud.change("other", MostWait="900")
    assert "Alarms" in changed
    alarms = cloud.client("cloudwatch").describe_alarms(AlarmNames=["other-jobs-wait"])
    assert alarms["MetricAlarms"][0]["Threshold"] == 900
    cloud.remove("other")
    queues = cloud.client("sqs").list_queues(QueueNamePrefix="other-").get("QueueUrls", [])
    assert queues == []


def test_a_change_with_a_wrong_parameter_changes_nothing(
    cloud: Cloud, outputs: dict[str, str]
) -> None:
    cloudformation = cloud.client("cloudformation")
    with pytest.raises(ClientError, match="Profile"):
        cloudformation.create_change_set(
            StackName=SERVICE,
            ChangeSetName="wrong",
            TemplateBody=body("gas.yaml"),
            Parameters=cloud.parameters(SERVICE, {"Profile": "enormous"}),
            Capabilities=CAPABILITIES,
        )
    assert cloud.settled(SERVICE, "CREATE_COMPLETE") == outputs
