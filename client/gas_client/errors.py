"""What can go wrong, each with one sentence for its reader and the exit code of the command."""


class GasError(Exception):
    """Something that the caller should read; the message is one sentence."""

    exit_code = 5


class JobFailed(GasError):
    """A job that was waited for failed or was cancelled."""

    exit_code = 1


class Misused(GasError):
    """What was asked makes no sense, whatever the service is at."""

    exit_code = 2


class NotSignedIn(GasError):
    """There is no token, or the service does not take it."""

    exit_code = 3


class Refused(GasError):
    """The service says no, and will again: a limit, a missing right, a state.

    `kind` is the last word of the problem's type (RFC 9457).
    """

    exit_code = 4

    def __init__(self, sentence: str, kind: str = "") -> None:
        super().__init__(sentence)
        self.kind = kind


class NotThere(Refused):
    """The service knows no such thing among one's own."""


class FileTrouble(GasError):
    """A file here changed, cannot be read or written, or has other bytes than it must."""

    exit_code = 6


class TryLater(GasError):
    """What may go better later; `retry_after` is the wait in seconds that the service asks for."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Limited(TryLater):
    """Too much was asked at once."""

    exit_code = 4


class Unavailable(TryLater):
    """The network or the service does not answer as it should."""


class TookTooLong(GasError):
    """What was waited for did not happen in the time that was given; it goes on by itself."""


class NobodyReads(GasError):
    """The program that got the output has ended; 141 is how a shell tells of that."""

    exit_code = 141


class Stopped(GasError):
    """Somebody does not want the rest any more."""

    exit_code = 130
