"""What happens in a run, chosen by its seed: who hands in what, who pays, what fails when."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from dev.fake_globus.personas import PERSONAS

GOOD, BAD = ("first", "second", "packed"), ("page", "cut", "short")


@dataclass(frozen=True)
class Errand:
    """One file that somebody hands in; `cancel_after` further errands its owner stops the job."""

    number: int
    persona: str
    sample: str
    cancel_after: int | None


@dataclass(frozen=True)
class PlanChange:
    """Somebody subscribes or cancels the subscription after so many errands."""

    after: int
    persona: str
    is_premium: bool


@dataclass(frozen=True)
class Strike:
    """One fault after so many errands; `seed` decides what the fault itself leaves open."""

    after: int
    kind: str
    seed: int


@dataclass(frozen=True)
class Script:
    """The whole run."""

    errands: Sequence[Errand]
    changes: Sequence[PlanChange]
    strikes: Sequence[Strike]


def write(jobs: int, seed: int, kinds: Sequence[str], strikes: int) -> Script:
    """Write the script of a run; the same arguments write the same script."""
    dice = random.Random(seed)
    names = [persona.name for persona in PERSONAS]
    return Script(
        [_errand(number, names, dice) for number in range(1, jobs + 1)],
        _changes(jobs, names, dice),
        _strikes(jobs, kinds, strikes, dice),
    )


def _errand(number: int, names: Sequence[str], dice: random.Random) -> Errand:
    sample = dice.choice(BAD) if dice.random() < 0.1 else dice.choice(GOOD)
    cancel_after = dice.choice([0, 0, 1, 3, 8]) if dice.random() < 0.1 else None
    return Errand(number, dice.choice(names), sample, cancel_after)


def _changes(jobs: int, names: Sequence[str], dice: random.Random) -> list[PlanChange]:
    """The first stays free; the others subscribe, some end it, some come back."""
    changes = []
    for turns, name in enumerate(names[1:], start=1):
        at = sorted(dice.sample(range(1, jobs + 1), min(turns, jobs)))
        premium = cycle([True, False])
        changes += [PlanChange(after, name, next(premium)) for after in at]
    return sorted(changes, key=lambda change: change.after)


def _strikes(jobs: int, kinds: Sequence[str], count: int, dice: random.Random) -> list[Strike]:
    """Every kind in turn, in an order of the seed's, spread over the run."""
    order = list(kinds)
    dice.shuffle(order)
    picked = [order[number % len(order)] for number in range(count)]
    return [
        Strike(1 + number * jobs // count, kind, dice.randrange(2**32))
        for number, kind in enumerate(picked)
    ]
