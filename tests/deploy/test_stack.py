"""The whole stack on the local AWS: made, read back, changed and deleted; and who may do what."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from celeryconfig import QUEUES, THAWED
from dev import local_aws
from dev.local_aws.server import REGION
from dev.waiting import until
from tests.deploy.cloud import ACCOUNT, CAPABILITIES, Cloud, body, refusal
from tests.deploy.rights import TIERS, Right, arn, rights

pytestmark = pytest.mark.deploy

SERVICE = "gas"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local AWS that enforces IAM, with the templates in a bucket."""
    with local_aws.start(tmp_path_factory.mktemp("cloud")) as aws:
        made = Cloud(aws)
        made.prepare()
        yield made


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    """What the deployed stack tells an operator."""
    return cloud.deploy(SERVICE, AlarmMail="operators@example.org", Vault="old-vault")


@pytest.fixture(scope="module")
def roles(cloud: Cloud, outputs: dict[str, str]) -> dict[str, str]:
    """The role of each tier."""
    return cloud.roles(SERVICE)


@pytest.fixture(scope="module")
def credentials(cloud: Cloud, roles: dict[str, str]) -> Callable[[str], dict[str, str]]:
    """Temporary credentials of a tier's role, which this account is let into for the test."""
    iam, sts = cloud.client("iam"), cloud.client("sts")
    kept: dict[str, dict[str, str]] = {}

    def of(tier: str) -> dict[str, str]:
        if tier not in kept:
            name = roles[tier].rpartition("/")[2]
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST)
            found = sts.assume_role(RoleArn=roles[tier], RoleSessionName=tier)["Credentials"]
            kept[tier] = {
                "aws_access_key_id": found["AccessKeyId"],
                "aws_secret_access_key": found["SecretAccessKey"],
                "aws_session_token": found["SessionToken"],
            }
        return kept[tier]

    return of


TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    f'"Principal": {{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}}}]}}'
)


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


def test_what_is_said_in_the_open_is_refused_to_everybody(
    cloud: Cloud, outputs: dict[str, str], credentials: Callable[[str], dict[str, str]]
) -> None:
    for tls in (True, False):
        s3 = cloud.client("s3", credentials("annotate"), tls=tls)
        assert may(partial(s3.list_objects_v2, Bucket=outputs["Results"])) is tls


def test_roles_are_what_the_table_says_by_simulation(
    cloud: Cloud, roles: dict[str, str], outputs: dict[str, str]
) -> None:
    iam = cloud.client("iam")
    places = {
        "settings": outputs["Settings"],
        "database": outputs["DatabaseSecret"],
        "key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1",
    }

    wrong = []
    for asked in grouped(rights()):
        found = iam.simulate_principal_policy(
            PolicySourceArn=roles[asked[0].tier],
            ActionNames=[right.action for right in asked],
            ResourceArns=[arn(asked[0], SERVICE, ACCOUNT, REGION, places)],
        )
        for right, result in zip(asked, found["EvaluationResults"], strict=True):
            assert result["EvalActionName"] == right.action
            if (result["EvalDecision"] == "allowed") is not right.allowed:
                wrong.append(str(right))
    assert wrong == []


def grouped(table: list[Right]) -> list[list[Right]]:
    """What is asked of a tier about one place, of one service, in one question."""
    found: dict[tuple[str, ...], list[Right]] = {}
    for right in table:
        key = (right.tier, right.place, right.action.partition(":")[0])
        found.setdefault(key, []).append(right)
    return list(found.values())


def may(call: Callable[[], Any]) -> bool:
    """Whether a call is let through; what then fails for another reason was let through."""
    try:
        call()
    except ClientError as error:
        return not refusal(error)
    return True


def called(right: Right, client: Callable[[str], Any], outputs: dict[str, str]) -> bool | None:
    """Whether AWS lets a tier do it; None for what is only simulated."""
    bucket, _, key = right.place.partition("/")
    if right.action.startswith("sqs:") and right.place != "of-somebody-else":
        url = f"{client('sqs').meta.endpoint_url}/{ACCOUNT}/{SERVICE}-{right.place}"
        more: dict[str, dict[str, Any]] = {
            "SendMessage": {"MessageBody": "x"},
            "ReceiveMessage": {},
            "GetQueueAttributes": {"AttributeNames": ["QueueArn"]},
            "PurgeQueue": {},
        }
        name = right.action.partition(":")[2]
        if name not in more:
            return None
        method = {
            "SendMessage": "send_message",
            "ReceiveMessage": "receive_message",
            "GetQueueAttributes": "get_queue_attributes",
            "PurgeQueue": "purge_queue",
        }[name]
        return may(lambda: getattr(client("sqs"), method)(QueueUrl=url, **more[name]))
    if right.action.startswith("s3:") and bucket != "releases":
        at = {"Bucket": outputs[bucket.capitalize()]}
        calls: dict[str, Callable[[], Any]] = {
            "s3:PutObject": lambda: client("s3").put_object(**at, Key=key, Body=b"x"),
            "s3:GetObject": lambda: client("s3").get_object(**at, Key=key),
            "s3:DeleteObject": lambda: client("s3").delete_object(**at, Key=key),
            "s3:ListBucket": lambda: client("s3").list_objects_v2(**at),
            "s3:ListBucketMultipartUploads": lambda: client("s3").list_multipart_uploads(**at),
        }
        return may(calls[right.action]) if right.action in calls else None
    if right.action == "secretsmanager:GetSecretValue" and right.place != "of-somebody-else":
        secret = f"{SERVICE}/{right.place}"
        return may(lambda: client("secretsmanager").get_secret_value(SecretId=secret))
    return None


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_can_do_what_the_table_says_and_no_more(
    cloud: Cloud,
    outputs: dict[str, str],
    credentials: Callable[[str], dict[str, str]],
    tier: str,
) -> None:
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = cloud.client(service, credentials(tier))
        return clients[service]

    of_tier = [right for right in rights() if right.tier == tier]
    found = {right: called(right, client, outputs) for right in of_tier}
    wrong = [str(r) for r, done in found.items() if done is not None and done is not r.allowed]
    assert wrong == []
    assert len([done for done in found.values() if done is not None]) > 30


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
