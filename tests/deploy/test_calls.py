"""Every call of AWS that the code can make is allowed to some role, and no role allows others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gas.env import ROOT
from tests.deploy.templates import Resource, listed, policies

#: What a call of boto3 needs of IAM, by service and method; a page-wise call by what it repeats.
#: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
NEEDS = {
    ("autoscaling", "complete_lifecycle_action"): {"autoscaling:CompleteLifecycleAction"},
    ("autoscaling", "record_lifecycle_action_heartbeat"): {
        "autoscaling:RecordLifecycleActionHeartbeat"
    },
    ("glacier", "abort_multipart_upload"): {"glacier:AbortMultipartUpload"},
    ("glacier", "complete_multipart_upload"): {"glacier:CompleteMultipartUpload"},
    ("glacier", "delete_archive"): {"glacier:DeleteArchive"},
    ("glacier", "describe_job"): {"glacier:DescribeJob"},
    ("glacier", "get_job_output"): {"glacier:GetJobOutput"},
    ("glacier", "initiate_job"): {"glacier:InitiateJob"},
    ("glacier", "initiate_multipart_upload"): {"glacier:InitiateMultipartUpload"},
    ("glacier", "list_jobs"): {"glacier:ListJobs"},
    ("glacier", "upload_multipart_part"): {"glacier:UploadMultipartPart"},
    ("s3", "abort_multipart_upload"): {"s3:AbortMultipartUpload"},
    ("s3", "complete_multipart_upload"): {"s3:PutObject", "kms:Decrypt"},
    ("s3", "copy_object"): {"s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"},
    ("s3", "create_multipart_upload"): {"s3:PutObject", "kms:GenerateDataKey"},
    ("s3", "delete_objects"): {"s3:DeleteObject"},
    ("s3", "generate_presigned_post"): {"s3:PutObject", "kms:GenerateDataKey"},
    ("s3", "get_object"): {"s3:GetObject", "kms:Decrypt"},
    ("s3", "head_bucket"): {"s3:ListBucket"},
    ("s3", "head_object"): {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"},
    ("s3", "list_multipart_uploads"): {"s3:ListBucketMultipartUploads"},
    ("s3", "list_objects_v2"): {"s3:ListBucket"},
    ("s3", "list_parts"): {"s3:ListMultipartUploadParts"},
    ("s3", "put_object"): {"s3:PutObject", "kms:GenerateDataKey"},
    ("s3", "restore_object"): {"s3:RestoreObject"},
    ("s3", "upload_part"): {"s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"},
    ("secrets_manager", "get_secret_value"): {"secretsmanager:GetSecretValue", "kms:Decrypt"},
    ("sns", "publish_batch"): {"sns:Publish", "kms:GenerateDataKey", "kms:Decrypt"},
    ("sqs", "change_message_visibility"): {"sqs:ChangeMessageVisibility"},
    ("sqs", "delete_message"): {"sqs:DeleteMessage"},
    ("sqs", "get_queue_attributes"): {"sqs:GetQueueAttributes"},
    ("sqs", "receive_message"): {"sqs:ReceiveMessage"},
    ("sqs", "send_message"): {"sqs:SendMessage"},
}

#: What is allowed for programs that are not ours: why, and by which statement.
OF_OTHERS = {
    "Log": "the CloudWatch agent",
    "StartedOrNot": "the first start",
    "SessionsOfOperators": "the agent of Systems Manager",
    "Mail": "anymail, which sends by SES",
    "Take": "kombu's SQS transport",
}


class Calls(ast.NodeVisitor):
    """Finds `clients.NAME(...).METHOD(...)`, also where the client was given a name first."""

    def __init__(self) -> None:
        self.found: set[tuple[str, str]] = set()
        self._names: dict[str, str] = {}

    def visit_Assign(self, node: ast.Assign) -> None:
        service = self._service(node.value)
        for target in node.targets:
            if service and isinstance(target, ast.Name):
                self._names[target.id] = service
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            service = self._service(node.func.value)
            if service:
                self.found.add((service, self._operation(node)))
        self.generic_visit(node)

    def _service(self, node: ast.expr) -> str | None:
        """The client that an expression gives, by the name of its function."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="clients"), attr=service)):
                return service
        return None

    def _operation(self, call: ast.Call) -> str:
        """The method; of a signed link or a page-wise call the one that it is about."""
        assert isinstance(call.func, ast.Attribute)
        about = call.func.attr in {"get_paginator", "generate_presigned_url"}
        return str(ast.literal_eval(call.args[0])) if about else call.func.attr


def calls_of(file: Path) -> set[tuple[str, str]]:
    """Every call of AWS in one module."""
    calls = Calls()
    calls.visit(ast.parse(file.read_text()))
    return {call for call in calls.found if call[1] not in {"cache_clear", "meta"}}


def modules() -> Iterator[Path]:
    """Every module that runs on a machine."""
    for folder in ("gas", "tasks", "annotator"):
        yield from (ROOT / folder).rglob("*.py")


CALLS = {call for file in modules() for call in calls_of(file)}
NEEDED = {action for call in CALLS for action in NEEDS.get(call, set())}
ALLOWED = {action for _, each in policies() for action in listed(each["Action"])}


def test_every_call_is_known_and_what_it_needs() -> None:
    assert len(CALLS) > 25
    assert CALLS - NEEDS.keys() == set()


def test_no_call_is_known_that_nobody_makes() -> None:
    assert NEEDS.keys() - CALLS == set()


def test_every_call_is_allowed_to_some_machine() -> None:
    missing = NEEDED - ALLOWED
    assert missing == set()


def test_nothing_is_allowed_that_no_call_needs() -> None:
    unused = [
        (str(resource), each["Sid"], action)
        for resource, each in policies()
        for action in listed(each["Action"])
        if action not in NEEDED and each["Sid"] not in OF_OTHERS
    ]
    assert unused == []


def test_clients_are_called_by_their_module_alone() -> None:
    """Else a call would escape the tests above: `from gas.storage.clients import s3`."""
    for file in modules():
        assert not re.search(r"from gas\.storage\.clients import", file.read_text()), file


def test_a_new_call_would_be_noticed(tmp_path: Path) -> None:
    file = tmp_path / "new.py"
    file.write_text(
        "queue = clients.sqs(attempts=1)\nqueue.purge_queue(QueueUrl=url)\n"
        "clients.s3().get_paginator('list_object_versions')\n"
        "clients.s3().generate_presigned_url('put_object')\n"
    )
    assert calls_of(file) == {
        ("sqs", "purge_queue"),
        ("s3", "list_object_versions"),
        ("s3", "put_object"),
    }


def roles_with(action: str) -> set[str]:
    """The tiers that may do something, by what is written for them alone."""
    found: list[tuple[Resource, Any]] = list(policies())
    return {resource.name for resource, each in found if action in listed(each["Action"])}


def test_what_is_dangerous_is_for_few() -> None:
    assert roles_with("ses:SendEmail") == {"Short"}
    assert roles_with("s3:RestoreObject") == {"Short"}
    assert "Deliver" not in roles_with("s3:GetObject") | roles_with("s3:DeleteObject")
    assert "Beat" not in roles_with("sqs:ReceiveMessage") | roles_with("s3:GetObject")
