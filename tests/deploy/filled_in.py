"""A template as CloudFormation reads it once its parameters are given."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.deploy.templates import Resource, resources, template

#: What is left out where a template says AWS::NoValue.
LEFT_OUT = object()


@dataclass(frozen=True)
class FilledIn:
    """A template and what its parameters are; what is not given shows as `<Name>`."""

    name: str
    given: Mapping[str, str]

    def alarms(self) -> dict[str, dict[str, Any]]:
        """The properties of each alarm that is made, by its name in the template."""
        kept = resources("AWS::CloudWatch::Alarm")
        return {each.name: self.properties(each) for each in kept if self.makes(each)}

    def properties(self, resource: Resource) -> dict[str, Any]:
        """What a resource is made with."""
        found: dict[str, Any] = self.read(resource.properties)
        return found

    def read(self, value: Any) -> Any:
        """A value with every function in it carried out."""
        match value:
            case {"Ref": str(name)}:
                return self._named(name)
            case {"Fn::Sub": str(text)}:
                return self._filled(text, {})
            case {"Fn::Sub": [str(text), dict(names)]}:
                return self._filled(text, {name: self.read(each) for name, each in names.items()})
            case {"Fn::Join": [str(between), parts]}:
                return between.join(map(str, self.read(parts)))
            case {"Fn::Split": [str(at), text]}:
                return str(self.read(text)).split(at)
            case {"Fn::If": [str(condition), then, otherwise]}:
                return self.read(then if self.holds({"Condition": condition}) else otherwise)
            case dict():
                pairs = {key: self.read(each) for key, each in value.items()}
                return {key: each for key, each in pairs.items() if each is not LEFT_OUT}
            case list():
                return [each for each in map(self.read, value) if each is not LEFT_OUT]
        return value

    def holds(self, condition: Any) -> bool:
        """Whether a condition is met."""
        match condition:
            case {"Condition": str(name)}:
                return self.holds(template(self.name)["Conditions"][name])
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": list(parts)}:
                return all(map(self.holds, parts))
            case {"Fn::Equals": [left, right]}:
                return str(self.read(left)) == str(self.read(right))
        raise ValueError(f"no condition that is known here: {condition}")

    def makes(self, resource: Resource) -> bool:
        """Whether a resource is of this template, and made."""
        asked = resource.whole.get("Condition")
        return resource.template == self.name and (not asked or self.holds({"Condition": asked}))

    def _named(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return LEFT_OUT
        declared = template(self.name)["Parameters"].get(name, {})
        return self.given.get(name, declared.get("Default", f"<{name}>"))

    def _filled(self, text: str, names: Mapping[str, Any]) -> str:
        return re.sub(
            r"\$\{([\w:.]+)\}", lambda hit: str(names.get(hit[1], self._named(hit[1]))), text
        )
