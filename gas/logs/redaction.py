"""What must not stand in a log: secrets, mail addresses, signatures, genotypes.

The rule is that nobody writes them. This is for what others write: libraries, and exceptions, of
whose words only those survive that are known to quote nothing.
"""

import re
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from gas.logs import codes

HOST = socket.gethostname()

#: Frames of a traceback that are told, the innermost ones.
MOST_FRAMES = 25
#: Exceptions that led to one another.
MOST_CAUSES = 5
LONGEST = 4000
SHORTEST_SECRET = 8

#: Where exceptions come from whose words are ours, and quote nothing of anybody.
OUR_MODULES = ("gas.billing.", "gas.globus.", "gas.mail", "gas.models.", "gas.storage.", "tasks.")
#: And others who tell of servers and files of ours alone.
TELLING = {
    "django.db.utils.InterfaceError",
    "django.db.utils.OperationalError",
    "django.core.exceptions.ImproperlyConfigured",
}

_NAMES = "token|secret|password|passwd|signature|credential|authorization|cookie|session|api.?key"
_VALUE = r"(?:[bu]?'[^']*'|\"[^\"]*\"|[^\s,;&'\"]+)"
#: What is taken out, what stands there then, and pieces of which one is in every text concerned.
_RULES: tuple[tuple[re.Pattern[str], str, tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), shown, tuple(pieces))
    for pattern, shown, *pieces in (
        # What Celery quotes of a message that is none of ours.
        (
            r"(?s)(The full contents of the message (?:body|headers?) was:|\n\nbody:).*",
            r"\1 [message]",
            "the full contents",
            "body:",
        ),
        # A record of a VCF, from its contig on: as it is, or as `repr` shows it.
        (r"(?s)[^\s'\"]{1,60}(?:\t|\\t)\d+(?:\t|\\t)[^\t]*?(?:\t|\\t).*", "[record]", "\t", "\\t"),
        (
            r"(?<![\w:.-])(?:chr)?(?:\d{1,2}|[XYM]|MT):\d{4,}\b(?:\W?[ACGTN]+\W[ACGTN*]+)?",
            "[place]",
            ":",
        ),
        (
            r"(?<![\w/.|-])(?:\d{1,2}|\.)[/|](?:\d{1,2}|\.)(?::[\w.,:-]*)?(?![\w/|-])",
            "[genotype]",
            "/",
            "|",
        ),
        (r"(?i)\b(https?://[^\s'\"<>?]*)\?[^\s'\"<>]*", r"\1?[query]", "://"),
        (r"(?i)\b(\w+://)[^\s/@'\"]+@", r"\1[secret]@", "://"),
        (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{4,}", r"\1 [secret]", "bearer", "basic"),
        (rf"(?i)([\w-]*(?:{_NAMES})[\w-]*\s*=\s*){_VALUE}", r"\1[secret]", "="),
        (rf"(?i)(['\"][\w-]*(?:{_NAMES})[\w-]*['\"]\s*:\s*){_VALUE}", r"\1[secret]", "'", '"'),
        (
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)\s*:.*",
            r"\1: [secret]",
            "authorization",
            "cookie",
        ),
        (
            r"\b(?:gas_[\w-]{40,}|(?:sk|rk|pk|whsec)_\w{6,}|(?:AKIA|ASIA)[A-Z0-9]{16})",
            "[secret]",
            "_",
            "akia",
            "asia",
        ),
        (
            r"(?<![\w+-])(?=[\w+-]*\d)(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])[\w+-]{24,}=*",
            "[secret]",
            "",
        ),
    )
)
#: Fields that hold words of ours alone.
_OURS = frozenset({"time", "level", "logger", "correlation", "method", "route", "state", "task"})
_MAIL = re.compile(r"[\w.!#$%&*+=?^`{|}~'-]{1,64}@[\w-]+(?:\.[\w-]+)+")


class Redaction:
    """A processor that takes out of every text what must not be told.

    `secrets` are the values of settings, whatever they look like.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        kept = sorted((s for s in set(secrets) if len(s) >= SHORTEST_SECRET), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, kept))) if kept else None

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        """Clean every text of a line."""
        for field, value in event.items():
            if isinstance(value, str) and field not in _OURS:
                event[field] = self.clean(value)
        return event

    def clean(self, text: str) -> str:
        """Take out what must not be told."""
        if self._secrets:
            text = self._secrets.sub("[secret]", text)
        lower = text.lower()
        for pattern, shown, pieces in _RULES:
            if any(piece in lower for piece in pieces):
                text = pattern.sub(shown, text)
        if "@" in text:
            text = _MAIL.sub(_unless_here, text)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} [cut]"


def _unless_here(match: re.Match[str]) -> str:
    """A worker of this machine is called `annotate@host`, which is nobody's address."""
    return match[0] if match[0].endswith(f"@{HOST}") else "[mail]"


def named(error: BaseException) -> str:
    """What is told of an exception: class, codes, and words if they are known to be harmless."""
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}"
    is_telling = name in TELLING or kind.__module__.startswith(OUR_MODULES)
    shown = kind.__qualname__ if is_telling or kind.__module__ == "builtins" else name
    coded = " ".join(filter(None, [shown, codes.of(error)]))
    return f"{coded}: {error}" if is_telling and str(error) else coded


def traced(error: BaseException) -> str:
    """Where an exception came from and what led to it; without the values of anything."""
    parts = []
    for each in _chain(error):
        frames = list(_frames(each.__traceback__))[-MOST_FRAMES:]
        parts.append("\n".join([named(each), *frames]))
    return "\nbecause of ".join(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if current is None:
            return
        yield current
        hidden = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or hidden


def _frames(trace: Any) -> Iterator[str]:
    """The places of a traceback; of Celery's copies of one too, which are like it."""
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
