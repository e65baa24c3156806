"""Everything that can fail, one function each; a strike ends with the service whole again."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from dev.chaos import messages
from dev.chaos.postbox import Postbox
from dev.chaos.script import Strike
from dev.chaos.town import COURIERS, LOCK_SECONDS, QUEUE_NAMES, WORKERS, Server, Town
from dev.children import children_of
from dev.faults import disk
from dev.faults.faults import FAULTS, S3_FAULTS, SQS_FAULTS
from dev.faults.proxy import Call, Fault, Proxy
from dev.local_aws import QueuedMessage
from dev.waiting import NotInTime, until

#: Longest time for which a strike leaves something away, in seconds.
LONGEST_OUTAGE = 4.0
#: Longest wait for a request that a strike can fail, in seconds.
LONGEST_WAIT = 8.0
#: Seconds by which the clock of a process is wrong.
CLOCKS = (-600, 0, 600)


@dataclass
class Siege:
    """The service under strikes, and what has been done to it."""

    town: Town
    proxy: Proxy
    postbox: Postbox
    way: Proxy  # to whoever is called by webhooks
    postgres: Server | None = None
    done: Counter[str] = field(default_factory=Counter)
    last: str = ""
    ended: list[str] = field(default_factory=list)  # processes that ended, and after which strike
    seen: dict[QueuedMessage, None] = field(default_factory=dict)  # messages of any time, in order
    poison: set[str] = field(default_factory=set)

    def kinds(self, word: str) -> list[str]:
        """The kinds of strikes with this word that this run can make."""
        without = {"database locked" if self.postgres else "database restarted"}
        without |= set() if disk.is_possible() else {"disk full"}
        return [kind for kind in STRIKES if kind not in without and word in kind]

    def strike(self, strike: Strike) -> bool:
        """Do what the script says; False, and not counted, when there was nothing to hit."""
        self.listen()
        self.last = strike.kind
        hit = STRIKES[strike.kind](self, random.Random(strike.seed))
        self.done[strike.kind] += hit
        return hit

    def mend(self) -> None:
        """Start what has ended, and note after which strike it was found."""
        self.ended += [f"{name} after {self.last}" for name in self.town.start_again()]

    def listen(self) -> None:
        """Remember the messages of this moment, to replay them later."""
        self.mend()
        with suppress(OSError):
            self.seen |= dict.fromkeys(
                waiting for waiting in self.town.messages() if waiting.queue in QUEUE_NAMES
            )


def _kill(siege: Siege, name: str, dice: random.Random) -> bool:
    siege.town.kill(name)
    time.sleep(dice.uniform(0, LONGEST_OUTAGE / 2))
    siege.town.launch(name)
    return True


def _kill_below(siege: Siege, names: Sequence[str], dice: random.Random, *, child: bool) -> bool:
    """Kill one process below a worker: of its pool, or the annotator that such a one started."""
    found = [
        pid
        for name in names
        for pid in children_of(siege.town.processes[name].pid)
        if _is_annotator(pid) is child
    ]
    if not found:
        return False
    with suppress(ProcessLookupError):
        os.kill(dice.choice(sorted(found)), signal.SIGKILL)
    return True


def _is_annotator(pid: int) -> bool:
    try:
        return b"annotator" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def _kill_child(siege: Siege, dice: random.Random) -> bool:
    for _ in range(40):  # an annotation of a small file is short
        if _kill_below(siege, WORKERS, dice, child=True):
            return True
        time.sleep(0.05)
    return False


def _drain(siege: Siege, dice: random.Random) -> bool:
    siege.town.replace(dice.choice([*WORKERS, *COURIERS]))
    return True


def _main_process_lost(siege: Siege, dice: random.Random) -> bool:
    """Only the worker's main process goes; what it started has to notice."""
    name = dice.choice([*WORKERS, *COURIERS])
    process = siege.town.processes.pop(name)
    process.kill()
    process.wait()
    siege.town.launch(name)
    return True


def _broker_away(siege: Siege, dice: random.Random) -> bool:
    assert siege.town.aws is not None
    siege.town.aws.stop()
    time.sleep(dice.uniform(0, LONGEST_OUTAGE))
    siege.town.start_aws()
    return True


def _database_restarted(siege: Siege, dice: random.Random) -> bool:
    assert siege.postgres is not None
    siege.postgres.restart(away=dice.uniform(0, LONGEST_OUTAGE / 2))
    return True


def _database_locked(siege: Siege, dice: random.Random) -> bool:
    """Somebody writes for longer than anybody waits."""
    with siege.town.database.locked():
        time.sleep(dice.uniform(1, 2 * LOCK_SECONDS))
    return True


def _disk_full(siege: Siege, dice: random.Random) -> bool:
    with siege.town.full_disk(dice.choice(WORKERS)):
        time.sleep(dice.uniform(1, LONGEST_OUTAGE))
    return True


def _clock_wrong(siege: Siege, dice: random.Random) -> bool:
    """A process comes back with a clock that is ten minutes ahead or behind, or right again."""
    name = dice.choice([*WORKERS, *COURIERS, "beat"])
    siege.town.own_settings[name] = {"GAS_FAULTS_CLOCK": str(dice.choice(CLOCKS))}
    return _kill(siege, name, dice)


#: Who says yes and takes nothing cannot be told from one that takes it.
_HONEST = {name: fault for name, fault in FAULTS.items() if name not in ("garbage", "wrong-shape")}

#: What each service can do to a request. An answer that was altered where TLS would have noticed
#: cannot be told from a right one.
_OF: dict[str, dict[str, Fault]] = {
    "sqs": SQS_FAULTS,
    "s3": {name: fault for name, fault in S3_FAULTS.items() if name != "altered"},
    "ses": _HONEST,
    "webhooks": _HONEST,
}


def _failing(service: str) -> Callable[[Siege, random.Random], bool]:
    def strike(siege: Siege, dice: random.Random) -> bool:
        name, share = dice.choice(sorted(_OF[service])), dice.choice([0.3, 0.6, 1.0])
        seconds, fate = dice.uniform(1, LONGEST_OUTAGE), random.Random(dice.random())
        fail = {"ses": _mails_fail, "webhooks": _calls_fail}.get(service, _requests_fail)
        hits = fail(siege, service, _OF[service][name], share, seconds, fate)
        siege.done[f"requests to {service}: {name}"] += hits
        return hits > 0

    return strike


def _requests_fail(
    siege: Siege, service: str, fault: Fault, share: float, seconds: float, fate: random.Random
) -> int:
    def chosen(call: Call) -> bool:
        return call.service == service and fate.random() < share

    with siege.proxy.failing("*", fault, chosen=chosen) as rule:
        _hold(lambda: bool(rule.hits), seconds)
    return len(rule.hits)


def _mails_fail(
    siege: Siege, _service: str, fault: Fault, share: float, seconds: float, fate: random.Random
) -> int:
    before = siege.postbox.hits
    with siege.postbox.failing(fault, share, fate):
        _hold(lambda: siege.postbox.hits > before, seconds)
    return siege.postbox.hits - before


def _calls_fail(
    siege: Siege, _service: str, fault: Fault, share: float, seconds: float, fate: random.Random
) -> int:
    """Whoever is called answers badly, late or never, and may have heard all the same."""
    with siege.way.failing("*", fault, chosen=lambda _: fate.random() < share) as rule:
        _hold(lambda: bool(rule.hits), seconds)
    return len(rule.hits)


def _hold(is_hit: Callable[[], bool], seconds: float) -> None:
    """Keep a fault up so long from its first hit on, which may take a while."""
    with suppress(NotInTime):
        until(is_hit, "a hit", seconds=LONGEST_WAIT)
        time.sleep(seconds)


def _patient(
    strike: Callable[[Siege, random.Random], bool],
) -> Callable[[Siege, random.Random], bool]:
    """A strike through the broker itself, which may be busy or just back."""

    def tried(siege: Siege, dice: random.Random) -> bool:
        try:
            return strike(siege, dice)
        except (ClientError, BotoCoreError, OSError):
            return False

    return tried


STRIKES: dict[str, Callable[[Siege, random.Random], bool]] = {
    "child killed": _kill_child,
    "pool process of a worker killed": lambda s, d: _kill_below(s, WORKERS, d, child=False),
    "pool process of a courier killed": lambda s, d: _kill_below(s, COURIERS, d, child=False),
    "main process killed": _main_process_lost,
    "worker killed": lambda s, d: _kill(s, d.choice(WORKERS), d),
    "courier killed": lambda s, d: _kill(s, d.choice(COURIERS), d),
    "beat killed": lambda s, d: _kill(s, "beat", d),
    "web killed": lambda s, d: _kill(s, "site", d),
    "drained and replaced": _drain,
    "AWS away": _broker_away,
    "database restarted": _database_restarted,
    "database locked": _database_locked,
    "disk full": _disk_full,
    "clock wrong": _clock_wrong,
    "messages duplicated": _patient(messages.duplicated),
    "messages replayed": _patient(messages.replayed),
    "messages delayed and reordered": _patient(messages.delayed_and_reordered),
    "messages lost": _patient(messages.lost),
    "messages poisoned": _patient(messages.poisoned),
    "SQS failing": _failing("sqs"),
    "S3 failing": _failing("s3"),
    "SES failing": _failing("ses"),
    "webhooks failing": _failing("webhooks"),
}
