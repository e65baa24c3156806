"""The lifecycle hook by which a group of machines waits for one of them to be empty.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/completing-lifecycle-hooks.html
"""

from dataclasses import dataclass
from typing import Protocol

from gas.drain.orders import Source
from gas.storage import clients
from gas.storage.errors import translated

GROUP = "tags/instance/aws:autoscaling:groupName"
INSTANCE = "instance-id"


class Hook(Protocol):
    """Whoever waits for this machine to be empty."""

    def heartbeat(self) -> None:
        """Ask to wait on; StorageError when that cannot be done."""

    def complete(self) -> None:
        """Say that it is empty; StorageError when that cannot be done."""


class NoHook:
    """Nobody waits: the machine is of no group."""

    def heartbeat(self) -> None:
        """Nothing."""

    def complete(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class AutoScalingHook:
    """The hook of an Auto Scaling group."""

    name: str
    group: str
    instance: str

    def heartbeat(self) -> None:
        """Begin the hook's time-out anew."""
        with translated(self):
            clients.autoscaling().record_lifecycle_action_heartbeat(
                LifecycleHookName=self.name,
                AutoScalingGroupName=self.group,
                InstanceId=self.instance,
            )

    def complete(self) -> None:
        """Let the group go on without this machine."""
        with translated(self):
            clients.autoscaling().complete_lifecycle_action(
                LifecycleHookName=self.name,
                AutoScalingGroupName=self.group,
                InstanceId=self.instance,
                LifecycleActionResult="CONTINUE",
            )


def hook_of(source: Source, *, name: str) -> Hook:
    """The hook of that name of this machine's group, if it is of one.

    The launch template must let the metadata tell its tags (`InstanceMetadataTags`).
    """
    group, instance = source.read(GROUP), source.read(INSTANCE)
    return AutoScalingHook(name, group, instance) if group and instance else NoHook()
