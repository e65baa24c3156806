"""What a stack holds, read from its templates: how many of each kind, and which machines."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent.parent / "deploy/cloudformation"

#: Interfaces of a load balancer, one in each public subnet, bear an address each.
ZONES = 2


class _Loader(yaml.SafeLoader):
    """Reads the short tags of CloudFormation as whatever stands behind them."""


def _plain(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return f"!{tag} {loader.construct_scalar(node)}"
    if isinstance(node, yaml.SequenceNode):
        return [f"!{tag}", *loader.construct_sequence(node, deep=True)]
    return None


_Loader.add_multi_constructor("!", _plain)


@cache
def template(name: str) -> dict[str, Any]:
    """One template by the name of its file."""
    found: dict[str, Any] = yaml.load((FOLDER / name).read_text(), _Loader)
    return found


@dataclass(frozen=True)
class Standing:
    """The stack of one profile."""

    profile: str

    @property
    def sizes(self) -> dict[str, Any]:
        """What the profile chooses."""
        found: dict[str, Any] = template("gas.yaml")["Mappings"]["Sizes"][self.profile]
        return found

    @property
    def kinds(self) -> Counter[str]:
        """How many of each kind there are, with the nested stacks as often as they are used."""
        count: Counter[str] = Counter()
        for resource in template("gas.yaml")["Resources"].values():
            inner = resource.get("Properties", {}).get("TemplateURL", "").rpartition("/")[2]
            inside = template(inner)["Resources"] if inner else {"itself": resource}
            count.update(each["Type"] for each in inside.values())
        count["AWS::EC2::NatGateway"] = {"none": 0, "one": 1, "each": 2}[self.sizes["Nat"]]
        return count

    def tier(self, name: str) -> dict[str, Any]:
        """The parameters of one tier, with those of the profile filled in."""
        given = template("gas.yaml")["Resources"][name]["Properties"]["Parameters"]
        return {key: self._value(value) for key, value in given.items()}

    def _value(self, value: Any) -> Any:
        parameters = template("gas.yaml")["Parameters"]
        match value:
            case ["!FindInMap", "Sizes", _, key]:
                return self.sizes[key]
            case str() if value.startswith("!Ref ") and value[5:] in parameters:
                return parameters[value[5:]].get("Default", value)
        return value

    def disk(self, tier: str) -> int:
        """GiB of one machine of a tier."""
        default = template("tier.yaml")["Parameters"]["Disk"]["Default"]
        return int(self.tier(tier).get("Disk", default))

    @property
    def addresses(self) -> bool:
        """Whether machines have public addresses of their own, for want of a NAT."""
        return bool(self.sizes["Nat"] == "none")
