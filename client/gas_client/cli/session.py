"""What all commands share: which account they use, and how they tell what they do."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
import httpx

from gas_client.client import Client
from gas_client.errors import NobodyReads
from gas_client.patience import Patience
from gas_client.profiles import USUAL, Profile, account
from gas_client.progress import Bars, Progress, Silent

OPTIONS = (
    click.option(
        "--profile",
        envvar="GAS_PROFILE",
        default=USUAL,
        metavar="NAME",
        help="Use the account that is kept under this name.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Write JSON to the standard output."),
    click.option("--quiet", "-q", is_flag=True, help="Show neither progress nor advice."),
)


@dataclass(frozen=True)
class Means:
    """By which connections the command asks, and how patiently; a test brings its own."""

    transport: httpx.BaseTransport | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Session:
    """The options that every command has."""

    profile: str
    as_json: bool
    quiet: bool
    means: Means

    def client(self) -> Client:
        """Return the way in; NotSignedIn when there is none."""
        return self.open(account(self.profile))

    def open(self, found: Profile) -> Client:
        """Return the way into an account."""
        return Client(
            found.address,
            found.token,
            insecure_http=found.insecure_http,
            progress=self.progress(),
            patience=self.means.patience,
            transport=self.means.transport,
        )

    def progress(self) -> Progress:
        """Return bars for a person at a terminal, nothing for all others."""
        return Bars() if sys.stderr.isatty() and not self.quiet else Silent()

    def say(self, sentence: str) -> None:
        """Tell a person something beside the output."""
        if not self.quiet:
            click.echo(sentence, err=True)


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command has; it gets a Session of them first."""

    @functools.wraps(command)
    def with_session(*, profile: str, as_json: bool, quiet: bool, **given: Any) -> Any:
        means = click.get_current_context().obj
        try:
            return command(Session(profile, as_json, quiet, means), **given)
        except BrokenPipeError as broken:  # which click would make a failure of
            raise NobodyReads from broken

    for option in reversed(OPTIONS):
        with_session = option(with_session)
    return with_session
