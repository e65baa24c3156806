"""Who may do what in the deployed stack, by simulation and by real calls with each tier's role."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dev.local_aws.server import REGION
from tests.deploy.cloud import ACCOUNT, SERVICE, Cloud, refusal
from tests.deploy.rights import TIERS, Right, arn, rights

pytestmark = pytest.mark.deploy

Credentials = Callable[[str], dict[str, str]]

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    f'"Principal": {{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}}}]}}'
)

#: The calls that are made: how, with the client of their service, of a place as `place_of` has it.
#: Others are only simulated.
CALLS: dict[str, Callable[[Any, dict[str, str]], object]] = {
    "s3:PutObject": lambda s3, at: s3.put_object(**at, Body=b"x"),
    "s3:GetObject": lambda s3, at: s3.get_object(**at),
    "s3:DeleteObject": lambda s3, at: s3.delete_object(**at),
    "s3:ListBucket": lambda s3, at: s3.list_objects_v2(**at),
    "s3:ListBucketMultipartUploads": lambda s3, at: s3.list_multipart_uploads(**at),
    "sqs:SendMessage": lambda sqs, at: sqs.send_message(**at, MessageBody="x"),
    "sqs:ReceiveMessage": lambda sqs, at: sqs.receive_message(**at),
    "sqs:GetQueueAttributes": lambda sqs, at: sqs.get_queue_attributes(**at),
    "sqs:PurgeQueue": lambda sqs, at: sqs.purge_queue(**at),
    "secretsmanager:GetSecretValue": lambda secrets, at: secrets.get_secret_value(**at),
}


@pytest.fixture(scope="module")
def roles(cloud: Cloud, outputs: dict[str, str]) -> dict[str, str]:
    """The role of each tier."""
    return cloud.roles(SERVICE)


@pytest.fixture(scope="module")
def credentials(cloud: Cloud, roles: dict[str, str]) -> Credentials:
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


def test_what_is_said_in_the_open_is_refused_to_everybody(
    cloud: Cloud, outputs: dict[str, str], credentials: Credentials
) -> None:
    for tls in (True, False):
        s3 = cloud.client("s3", credentials("annotate"), tls=tls)
        assert may(s3, CALLS["s3:ListBucket"], {"Bucket": outputs["Results"]}) is tls


def test_roles_are_what_the_table_says_by_simulation(
    cloud: Cloud, roles: dict[str, str], outputs: dict[str, str]
) -> None:
    iam = cloud.client("iam")
    places = {
        "settings": outputs["Settings"],
        "site": outputs["SiteSettings"],
        "provenance": outputs["AnnotateSettings"],
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


def may(client: Any, call: Callable[[Any, dict[str, str]], object], at: dict[str, str]) -> bool:
    """Whether a call is let through; what then fails for another reason was let through."""
    try:
        call(client, at)
    except ClientError as error:
        return not refusal(error)
    return True


def place_of(right: Right, cloud: Cloud, outputs: dict[str, str]) -> dict[str, str] | None:
    """How a call names a place of the table; None of those that are not of this stack."""
    service, (place, _, key) = right.action.partition(":")[0], right.place.partition("/")
    match service:
        case _ if place in {"of-somebody-else", "releases"} or right.action not in CALLS:
            return None
        case "s3":
            return {"Bucket": outputs[place.capitalize()]} | ({"Key": key} if key else {})
        case "sqs":
            return {"QueueUrl": f"{cloud.aws.endpoint}/{ACCOUNT}/{SERVICE}-{place}"}
    return {"SecretId": f"{SERVICE}/{place}"}


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_can_do_what_the_table_says_and_no_more(
    cloud: Cloud, outputs: dict[str, str], credentials: Credentials, tier: str
) -> None:
    services = {action.partition(":")[0] for action in CALLS}
    clients = {service: cloud.client(service, credentials(tier)) for service in services}
    found: dict[Right, bool] = {}
    for right in rights():
        at = place_of(right, cloud, outputs)
        if right.tier == tier and at is not None:
            client = clients[right.action.partition(":")[0]]
            found[right] = may(client, CALLS[right.action], at)
    assert [str(right) for right, done in found.items() if done is not right.allowed] == []
    assert len(found) > 40
