"""The stack as it is changed: by a change set, by one that fails, and to its end."""

import pytest
from botocore.exceptions import ClientError

from tests.deploy.cloud import CAPABILITIES, SERVICE, Cloud, body

pytestmark = pytest.mark.deploy


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
