"""What makes a change of the stack safe: who is replaced, what is kept, and what has a name."""

from typing import Any

import pytest

from tests.deploy.filled_in import FilledIn
from tests.deploy.machine import USER_DATA
from tests.deploy.templates import Resource, resources, template

#: What people own, and the property by which it has a name of its own: AWS refuses to replace it,
#: because the new one could not be made beside it.
OWNED = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
}
#: What has no name of its own to be refused by, and is kept all the same.
NAMELESS = {"AWS::KMS::Key": "Retain", "AWS::RDS::DBInstance": "Snapshot"}


def named(kinds: Any) -> pytest.MarkDecorator:
    found = [each for kind in kinds for each in resources(kind)]
    return pytest.mark.parametrize("resource", found, ids=str)


@named(OWNED)
def test_what_people_own_outlives_its_stack_and_is_replaced_by_nothing(resource: Resource) -> None:
    assert resource.whole["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource.whole["UpdateReplacePolicy"] == "Retain"
    assert "${Service}" in str(resource.properties[OWNED[resource.kind]])


@named(NAMELESS)
def test_key_and_database_leave_themselves_or_a_snapshot(resource: Resource) -> None:
    assert resource.whole["UpdateReplacePolicy"] == NAMELESS[resource.kind]
    assert resource.whole["DeletionPolicy"].startswith(NAMELESS[resource.kind])


@named(["AWS::SQS::Queue"])
def test_a_queue_has_a_name_and_so_is_never_exchanged_for_an_empty_one(resource: Resource) -> None:
    assert "${Service}-" in str(resource.properties["QueueName"])


def tier(kind: str, **given: str) -> dict[str, Any]:
    """The group of machines of a tier, whole."""
    [group] = resources("AWS::AutoScaling::AutoScalingGroup")
    found: dict[str, Any] = FilledIn("tier.yaml", {"Tier": kind, "Least": "2", **given}).read(
        group.whole
    )
    return found


@pytest.mark.parametrize(("kind", "least"), [("web", "2"), ("beat", 0)])
def test_the_site_and_beat_are_replaced_one_by_one_by_machines_that_say_they_work(
    kind: str, least: object
) -> None:
    rolling = tier(kind)["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert rolling["WaitOnResourceSignals"] is True
    assert (rolling["MaxBatchSize"], rolling["PauseTime"]) == (1, "PT20M")
    assert rolling["MinInstancesInService"] == least
    assert "AlarmNotification" in rolling["SuspendProcesses"]  # nobody scales in the middle of it


@pytest.mark.parametrize("spot", ["yes", "no"])
def test_workers_are_never_torn_from_their_work_by_an_update(spot: str) -> None:
    assert "AutoScalingRollingUpdate" not in tier("worker", Spot=spot)["UpdatePolicy"]


@pytest.mark.parametrize("spot", ["yes", "no"])
def test_the_next_machine_is_of_the_newest_version(spot: str) -> None:
    machines = tier("worker", Spot=spot)["Properties"]
    newest = {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}
    assert {"LaunchTemplate", "MixedInstancesPolicy"} & machines.keys() == {
        "MixedInstancesPolicy" if spot == "yes" else "LaunchTemplate"
    }
    one = machines.get("LaunchTemplate")
    mixed = machines.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    assert (one or mixed["LaunchTemplateSpecification"])["Version"] == newest


def test_an_update_resizes_no_group_that_its_scaling_has_sized() -> None:
    group = tier("worker")
    assert "DesiredCapacity" not in group["Properties"]
    scheduled = group["UpdatePolicy"]["AutoScalingScheduledAction"]
    assert scheduled == {"IgnoreUnmodifiedGroupSizeProperties": True}


@pytest.mark.parametrize("kind", ["web", "beat", "worker"])
def test_a_machine_that_is_replaced_goes_when_the_next_one_is_there(kind: str) -> None:
    """An instance refresh of one machine alone would begin with taking it away."""
    kept = tier(kind)["Properties"]["InstanceMaintenancePolicy"]
    assert kept["MinHealthyPercentage"] == 100
    assert kept["MaxHealthyPercentage"] > 100


def test_a_pool_has_the_machines_that_were_asked_for_each_stopped_after_its_first_start() -> None:
    """With another `MaxGroupPreparedCapacity` it would have as many as make the group's most."""
    [pool] = resources("AWS::AutoScaling::WarmPool")
    asked = FilledIn("tier.yaml", {"Warm": "2", "Most": "400"}).properties(pool)
    assert (asked["MinSize"], asked["MaxGroupPreparedCapacity"]) == ("2", "2")
    [hook] = [
        each
        for each in resources("AWS::AutoScaling::LifecycleHook")
        if each.properties["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
    ]
    assert pool.whole["DependsOn"] == hook.name
    assert hook.whole["Condition"] == pool.whole["Condition"]
    assert hook.properties["DefaultResult"] == "ABANDON"  # what never began to work never will
    named = f"--lifecycle-hook-name {hook.properties['LifecycleHookName']} "
    assert named in USER_DATA.read_text()


def test_in_the_large_profile_each_zone_goes_out_by_its_own_gateway() -> None:
    for profile, made in (("large", {"NatA", "NatB"}), ("small", set())):
        nat = template("gas.yaml")["Mappings"]["Sizes"][profile]["Nat"]
        network = FilledIn("network.yaml", {"Nat": nat})
        gateways = [each for each in resources("AWS::EC2::NatGateway") if network.makes(each)]
        assert {each.name for each in gateways} == made
        ways = {
            each.name: network.properties(each)["NatGatewayId"]
            for each in resources("AWS::EC2::Route")
            if "NatGatewayId" in each.properties and network.makes(each)
        }
        assert set(ways.values()) == {f"<{name}>" for name in made}
