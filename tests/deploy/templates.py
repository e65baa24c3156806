"""The templates as data: every resource of all of them, with the short tags written out."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from gas.env import ROOT

FOLDER = ROOT / "deploy/cloudformation"
NAMES = sorted(file.name for file in FOLDER.glob("*.yaml"))


class Loader(yaml.SafeLoader):
    """Reads `!Sub x` as `{"Fn::Sub": "x"}`, as CloudFormation does."""


def _written_out(loader: Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _written_out)


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    template: str
    name: str
    kind: str
    whole: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """What it is made with."""
        found: dict[str, Any] = self.whole.get("Properties", {})
        return found

    def __str__(self) -> str:
        return f"{self.template}:{self.name}"


@cache
def template(name: str) -> dict[str, Any]:
    """One template, by the name of its file."""
    found: dict[str, Any] = yaml.load((FOLDER / name).read_text(), Loader)
    return found


def resources(kind: str = "") -> list[Resource]:
    """Every resource of every template, or those of one kind."""
    every = [
        Resource(name, key, value["Type"], value)
        for name in NAMES
        for key, value in template(name)["Resources"].items()
    ]
    return [each for each in every if kind in ("", each.kind)]


def within(value: Any) -> Iterator[Any]:
    """Everything inside of a value, itself first."""
    yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from within(each)


def shown(value: Any) -> str:
    """A text, or what stands in the place of one, as one string."""
    match value:
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            return text
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
    return str(value)


def listed(value: Any) -> list[Any]:
    """A list, or the one thing that stands in place of one."""
    return value if isinstance(value, list) else [value]


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy, those of a condition too."""
    found = []
    for each in listed(policy["Statement"]):
        kept = [part for part in each.get("Fn::If", [each])[-3:] if "Effect" in part]
        found += kept
    return found


def policies() -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Every statement of every policy of identities: inline or of their own."""
    for role in resources("AWS::IAM::Role"):
        for policy in role.properties["Policies"]:
            yield from ((role, each) for each in statements(policy["PolicyDocument"]))
    for managed in resources("AWS::IAM::ManagedPolicy"):
        document = managed.properties["PolicyDocument"]
        yield from ((managed, each) for each in statements(document))
