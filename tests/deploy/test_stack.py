"""The whole stack on the local AWS, read back as it was made."""

import json

import pytest

from celeryconfig import QUEUES, THAWED
from dev.local_aws.server import REGION
from dev.waiting import until
from tests.deploy.cloud import ACCOUNT, SERVICE, Cloud
from tests.deploy.rights import TIERS

pytestmark = pytest.mark.deploy


def test_an_operator_is_told_where_everything_is(outputs: dict[str, str]) -> None:
    assert outputs["Site"] == "https://gas.example.org"
    assert outputs["Results"] == f"gas-results-{ACCOUNT}-{REGION}"
    assert outputs["Settings"].startswith("arn:aws:secretsmanager:")
    assert outputs["AlarmTopic"].endswith(":gas-alarms")
    assert all(outputs.values())


def test_queues_are_there_as_the_table_says(cloud: Cloud, outputs: dict[str, str]) -> None:
    sqs = cloud.client("sqs")
    for queue in (*QUEUES.values(), THAWED):
        url = sqs.get_queue_url(QueueName=f"{SERVICE}-{queue.name}")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert found["VisibilityTimeout"] == str(queue.visibility_timeout)
        redrive = json.loads(found["RedrivePolicy"])
        assert int(redrive["maxReceiveCount"]) == queue.max_receives
        assert redrive["deadLetterTargetArn"].endswith(f":{SERVICE}-{queue.name}-dead")
        assert "aws:SecureTransport" in found["Policy"]


def test_buckets_are_private_and_open_to_uploads_of_the_site_alone(
    cloud: Cloud, outputs: dict[str, str]
) -> None:
    s3 = cloud.client("s3")
    for name in ("Inputs", "Results", "Archive"):
        bucket = outputs[name]
        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(block.values()) == {True}
    cors = s3.get_bucket_cors(Bucket=outputs["Inputs"])["CORSRules"]
    assert [rule["AllowedOrigins"] for rule in cors] == [["https://gas.example.org"]]
    assert s3.get_bucket_versioning(Bucket=outputs["Results"])["Status"] == "Enabled"


def test_a_group_of_workers_is_scaled_by_what_waits_for_it(
    cloud: Cloud, outputs: dict[str, str]
) -> None:
    found = cloud.client("autoscaling").describe_policies(AutoScalingGroupName="gas-copies")
    kinds = {policy["PolicyType"]: policy for policy in found["ScalingPolicies"]}
    assert kinds.keys() == {"TargetTrackingScaling", "StepScaling"}
    tracked = kinds["TargetTrackingScaling"]["TargetTrackingConfiguration"]
    asked = tracked["CustomizedMetricSpecification"]["Metrics"]
    [sum_] = [each["Expression"] for each in asked if "Expression" in each]
    assert {"visible1", "flying1", "visible3", "flying3", "machines"} <= {e["Id"] for e in asked}
    assert sum_.endswith("/ IF(FILL(machines, 0) > 0, machines, 1)")


def test_machines_need_tokens_and_are_drained(cloud: Cloud, outputs: dict[str, str]) -> None:
    ec2, groups = cloud.client("ec2"), cloud.client("autoscaling")
    for tier in TIERS:
        [hook] = groups.describe_lifecycle_hooks(AutoScalingGroupName=f"gas-{tier}")[
            "LifecycleHooks"
        ]
        assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
        [version] = ec2.describe_launch_template_versions(LaunchTemplateName=f"gas-{tier}")[
            "LaunchTemplateVersions"
        ]
        assert version["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"] == "required"


def test_a_copy_that_can_be_read_becomes_a_message(cloud: Cloud, outputs: dict[str, str]) -> None:
    s3, sqs = cloud.client("s3"), cloud.client("sqs")
    at = {"Bucket": outputs["Archive"], "Key": "results/1/1/a"}
    s3.put_object(**at, Body=b"x", StorageClass="GLACIER")
    request = {"Days": 1, "GlacierJobParameters": {"Tier": "Expedited"}}
    s3.restore_object(**at, RestoreRequest=request)
    url = sqs.get_queue_url(QueueName="gas-thawed")["QueueUrl"]
    bodies: list[str] = []

    def told() -> bool:
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        bodies.extend(message["Body"] for message in found)
        return bool(bodies)

    until(told, "the message of EventBridge", seconds=60)
    assert "Object Restore Completed" in bodies[0]
