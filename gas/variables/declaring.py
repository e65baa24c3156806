"""How a variable of the environment is declared."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    WORD = "word"
    LIST = "list"
    NUMBER = "number"
    TIME = "time"
    FLAG = "yes or no"
    URL = "address"
    PATH = "path"


@dataclass(frozen=True)
class Variable:
    """One variable; `shown` is what the table says of a default that depends on others."""

    name: str
    kind: Kind
    what: str
    default: str = ""
    shown: str = ""
    secret: bool = False
    required: bool = False  # in production


@dataclass(frozen=True)
class Section:
    """Variables about one thing."""

    title: str
    variables: tuple[Variable, ...]
