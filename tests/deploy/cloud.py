"""The whole stack on the local AWS: its templates in a bucket, deployed, read back."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from dev.local_aws import LocalAws
from dev.local_aws.server import CREDENTIALS, REGION
from dev.waiting import until
from tests.deploy.templates import NAMES, template

SERVICE = "gas"
BUCKET, RELEASE = "gas-releases", "20260102-0304-0123abcd"
TEMPLATES = f"https://s3.{REGION}.amazonaws.com/{BUCKET}/templates/{RELEASE}"
CAPABILITIES = ["CAPABILITY_IAM"]
ACCOUNT = "000000000000"

REFUSED = {"AccessDenied", "AccessDeniedException", "AccessDeniedFault", "UnauthorizedOperation"}


#: What the local AWS cannot make: kinds of resources, and others that have such a property.
NO_KINDS = {"AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::AutoScaling::WarmPool"}
NO_PROPERTIES = {("AWS::EC2::Route", "NatGatewayId"), ("AWS::CloudWatch::Alarm", "Metrics")}


def body(name: str, **more: dict[str, Any]) -> str:
    """A template without what the local AWS cannot make, and with more resources."""
    whole = template(name)
    kept = {key: each for key, each in whole["Resources"].items() if _can_be_made(each)}
    return json.dumps({**whole, "Resources": kept | more})


def _can_be_made(resource: dict[str, Any]) -> bool:
    kind, properties = resource["Type"], resource.get("Properties", {})
    return kind not in NO_KINDS and not {(kind, each) for each in properties} & NO_PROPERTIES


def refusal(error: ClientError) -> bool:
    """Whether an answer says that one may not."""
    return str(error.response["Error"]["Code"]) in REFUSED


@dataclass(frozen=True)
class Cloud:
    """The local AWS, and what is deployed there."""

    aws: LocalAws

    def client(
        self, service: str, role: Mapping[str, str] | None = None, *, tls: bool = True
    ) -> Any:
        """A client, with the credentials of a role or else the account's.

        The local AWS listens without TLS; it takes for encrypted what says that it came by https.
        """
        keys = role or {
            "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        session: Any = boto3.session.Session(region_name=REGION)
        client = session.client(service, endpoint_url=self.aws.endpoint, **keys)
        if tls:
            client.meta.events.register("before-send", _came_by_https)
        return client

    def prepare(self) -> None:
        """Bring the templates to their bucket, and make what the stack is told of."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for name in NAMES:
            s3.put_object(
                Bucket=BUCKET, Key=f"templates/{RELEASE}/{name}", Body=body(name).encode()
            )
        self.client("ssm").put_parameter(
            Name="/images/debian", Type="String", Value="ami-0123456789abcdef0"
        )

    def parameters(self, service: str, changes: Mapping[str, str]) -> list[dict[str, str]]:
        """What an operator gives; the rest are defaults."""
        given = {
            "Service": service,
            "Templates": TEMPLATES,
            "ReleaseBucket": BUCKET,
            "Release": RELEASE,
            "ReleaseSha256": "0" * 64,
            "Domain": "gas.example.org",
            "Certificate": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{'0' * 8}",
            "MailFrom": "no-reply@example.org",
            "Admins": "operators@example.org",
            "Image": "/images/debian",
            "Protected": "false",
            **changes,
        }
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]

    def deploy(self, service: str, **changes: str) -> dict[str, str]:
        """Make a stack and return its outputs; the test fails with what failed of it."""
        self.client("cloudformation").create_stack(
            StackName=service,
            TemplateBody=body("gas.yaml"),
            Parameters=self.parameters(service, changes),
            Capabilities=CAPABILITIES,
            DisableRollback=True,
        )
        return self.settled(service, "CREATE_COMPLETE")

    def change(self, service: str, **changes: str) -> list[str]:
        """Change a stack by a change set; returns what it said would change."""
        cloud = self.client("cloudformation")
        named = {"StackName": service, "ChangeSetName": f"change-{uuid.uuid4().hex}"}
        cloud.create_change_set(
            **named,
            ChangeSetType="UPDATE",
            TemplateBody=body("gas.yaml"),
            Parameters=self.parameters(service, changes),
            Capabilities=CAPABILITIES,
        )
        until(
            lambda: cloud.describe_change_set(**named)["Status"].endswith(("COMPLETE", "FAILED")),
            "the change set",
            seconds=300,
        )
        seen = cloud.describe_change_set(**named)["Changes"]
        cloud.execute_change_set(**named)
        self.settled(service, "UPDATE_COMPLETE")
        return sorted(each["ResourceChange"]["LogicalResourceId"] for each in seen)

    def fail_to_change(self, service: str, **changes: str) -> None:
        """Begin a change whose last step cannot be done: its template was not brought here."""
        before = ["Web", "Alarms", "Annotate"]
        properties = {"TemplateURL": f"{TEMPLATES}/forgotten.yaml"}
        last = {"Type": "AWS::CloudFormation::Stack", "DependsOn": before, "Properties": properties}
        self.client("cloudformation").update_stack(
            StackName=service,
            TemplateBody=body("gas.yaml", Forgotten=last),
            Parameters=self.parameters(service, changes),
            Capabilities=CAPABILITIES,
        )

    def settled(self, service: str, wanted: str) -> dict[str, str]:
        """Wait for the end of what a stack is at; returns its outputs."""
        cloud = self.client("cloudformation")
        found: dict[str, Any] = {}

        def ended() -> bool:
            found.update(cloud.describe_stacks(StackName=service)["Stacks"][0])
            return not found["StackStatus"].endswith("IN_PROGRESS")

        until(ended, f"the stack {service}", seconds=500)
        assert found["StackStatus"] == wanted, self.failures(found["StackId"])
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def failures(self, stack: str) -> str:
        """What of a stack, and of those in it, could not be made."""
        cloud = self.client("cloudformation")
        events = cloud.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [each for each in events if "FAILED" in each["ResourceStatus"]]
        return json.dumps([[e["LogicalResourceId"], e.get("ResourceStatusReason")] for e in failed])

    def remove(self, service: str) -> None:
        """Delete a stack."""
        cloud = self.client("cloudformation")
        number = cloud.describe_stacks(StackName=service)["Stacks"][0]["StackId"]
        cloud.delete_stack(StackName=service)

        def gone() -> bool:
            found = cloud.describe_stacks(StackName=number)["Stacks"][0]["StackStatus"]
            assert found != "DELETE_FAILED", self.failures(number)
            return bool(found == "DELETE_COMPLETE")

        until(gone, f"the end of the stack {service}", seconds=300)

    def roles(self, service: str) -> dict[str, str]:
        """The ARN of the role of each tier."""
        cloud = self.client("cloudformation")
        found = cloud.describe_stack_resource(StackName=service, LogicalResourceId="Roles")
        nested = found["StackResourceDetail"]["PhysicalResourceId"]
        rows = cloud.describe_stack_resources(StackName=nested)["StackResources"]
        return {
            row[
                "LogicalResourceId"
            ].lower(): f"arn:aws:iam::{ACCOUNT}:role/{row['PhysicalResourceId']}"
            for row in rows
            if row["ResourceType"] == "AWS::IAM::Role"
        }


def _came_by_https(request: Any, **_: Any) -> None:
    request.headers["X-Forwarded-Proto"] = "https"
