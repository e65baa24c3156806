"""CloudWatch's metric math, as far as our expressions go, over one value of each metric.

A metric without a value is None, and what is made of it too, unless FILL fills it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

Value = float | None

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
#: How an alarm compares with its threshold.
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def value_of(expression: str, metrics: Mapping[str, float]) -> Value:
    """What an expression comes to; ValueError for what is not known here."""
    return _of(ast.parse(expression, mode="eval").body, metrics)


def _of(node: ast.expr, metrics: Mapping[str, float]) -> Value:
    match node:
        case ast.Constant(value=float() | int() as number):
            return float(number)
        case ast.Name(id=name):
            return metrics.get(name)
        case ast.BinOp(left=left, op=kind, right=right):
            sides = _of(left, metrics), _of(right, metrics)
            return _calculated(_ARITHMETIC[type(kind)], *sides)
        case ast.Compare(left=left, ops=[kind], comparators=[right]):
            sides = _of(left, metrics), _of(right, metrics)
            return _calculated(_COMPARISONS[type(kind)], *sides)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _called(name, arguments, metrics)
    raise ValueError(f"no metric math that is known here: {ast.dump(node)}")


def _calculated(how: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """No value without both; nor of a division by nothing."""
    if left is None or right is None or (how is operator.truediv and right == 0):
        return None
    return float(how(left, right))


def _called(name: str, arguments: list[ast.expr], metrics: Mapping[str, float]) -> Value:
    match name, arguments:
        case "FILL", [metric, filling]:
            found = _of(metric, metrics)
            return _of(filling, metrics) if found is None else found
        case "IF", [condition, then, otherwise]:
            holds = _of(condition, metrics)
            return None if holds is None else _of(then if holds else otherwise, metrics)
        case "MAX", [ast.List(elts=each)]:
            values = [value for part in each if (value := _of(part, metrics)) is not None]
            return max(values, default=None)
    raise ValueError(f"no function that is known here: {name}")


def rings(alarm: Mapping[str, Any], metrics: Mapping[str, float]) -> bool:
    """Whether an alarm on an expression, or on the one metric `value`, rings of these values."""
    queries = alarm.get("Metrics", [])
    shown = [each["Expression"] for each in queries if each.get("ReturnData") is True]
    [expression] = shown or ["value"]
    value = value_of(expression, metrics)
    if value is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    return COMPARED[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))
