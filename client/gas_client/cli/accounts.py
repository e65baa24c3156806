"""Signing in and out, and shell completion."""

import sys

import click
from click.shell_completion import get_completion_class

from gas_client.addresses import TOKENS_PAGE, service_address
from gas_client.cli import output
from gas_client.cli.session import Session, shared
from gas_client.client import Client
from gas_client.errors import Misused, NotSignedIn, Refused
from gas_client.places import variable
from gas_client.profiles import Profile, Profiles
from gas_client.records import Me

#: Where a service is that somebody tries out on their own machine.
LOCAL = "http://127.0.0.1:8000"


@click.command()
@click.argument("address", metavar="[ADDRESS]", required=False)
@click.option("--token-stdin", is_flag=True, help="Read the token from the standard input.")
@click.option("--insecure-http", is_flag=True, help="Allow http to other machines than this one.")
@shared
def login(session: Session, address: str | None, token_stdin: bool, insecure_http: bool) -> None:
    """Sign in to the service at ADDRESS with a token that you made on its page of API tokens.

    The token is asked for without being shown, read from the standard input, or taken from
    GAS_TOKEN. It is tried out, and kept in a file that you alone can read.
    """
    where = service_address(address or _known_address(session), insecure_http=insecure_http)
    profile = Profile(where, _token(where, from_stdin=token_stdin), insecure_http)
    with session.open(profile) as client:
        me = _tried(client)
    Profiles().keep(session.profile, profile)
    if session.as_json:
        output.document({"address": where, "profile": session.profile, "me": me and me.document})
    else:
        session.say(f"You are signed in to {where}{f' ({me.plan.name} plan)' if me else ''}.")


def _known_address(session: Session) -> str:
    try:
        return Profiles().find(session.profile).address
    except NotSignedIn:
        if not sys.stdin.isatty():
            raise Misused("The address of the service is missing.") from None
    prompted: str = click.prompt("Address of the service", default=LOCAL, err=True)
    return prompted


def _token(where: str, *, from_stdin: bool) -> str:
    if from_stdin:
        token = sys.stdin.readline().strip()
    elif not (token := variable("GAS_TOKEN")):
        if not sys.stdin.isatty():
            raise Misused("There is no terminal to ask for the token; use --token-stdin.")
        click.echo(f"Make a token at {where}{TOKENS_PAGE} and paste it here.", err=True)
        token = click.prompt("Token", hide_input=True, err=True).strip()
    if not token.isascii() or not token.isprintable() or not token.startswith("gas_"):
        raise Misused("This is no token of GAS; one begins with gas_.")
    return token


def _tried(client: Client) -> Me | None:
    """Return the account, nothing when the token is good but may not see that."""
    try:
        return client.me()
    except Refused:
        client.bundles()
        return None


@click.command()
@click.option("--keep-token", is_flag=True, help="Let the token live, for use elsewhere.")
@shared
def logout(session: Session, keep_token: bool) -> None:
    """Forget the address and the token, and make the token worthless."""
    kept = Profiles().find(session.profile)
    if not keep_token:
        with session.open(kept) as client:
            _revoke(client)
    Profiles().forget(session.profile)
    if session.as_json:
        output.document({"address": kept.address, "profile": session.profile})
    else:
        session.say(f"You are signed out of {kept.address}.")


def _revoke(client: Client) -> None:
    try:
        client.revoke()
    except NotSignedIn:  # it is worthless already
        return


@click.command()
@shared
def whoami(session: Session) -> None:
    """Show the account, what its plan allows, what is in use, and what the token may do."""
    with session.client() as client:
        me, where = client.me(), client.address
    if session.as_json:
        output.document({"address": where, "profile": session.profile} | dict(me.document))
        return
    jobs = f"{me.usage.active_jobs} of {me.plan.max_active_jobs} active"
    stored = f"{output.size(me.usage.stored_bytes)} of {output.size(me.plan.max_stored_bytes)}"
    output.facts(
        [
            ("Service", where),
            ("Account", me.account),
            ("Plan", me.plan.name),
            ("Jobs", jobs),
            ("Stored", stored),
            ("Largest", output.size(me.plan.max_upload_bytes)),
            ("Token", f"{me.token.name}, until {output.when(me.token.expires_at)} UTC"),
            ("It may", ", ".join(me.token.scopes)),
        ]
    )


@click.command()
@shared
def bundles(session: Session) -> None:
    """List the references that a job can choose with --bundle."""
    with session.client() as client:
        found = client.bundles()
    if session.as_json:
        for each in found:
            output.document(each.document)
        return
    rows = (
        [
            each.name,
            each.assembly,
            each.genes,
            ", ".join(f"{source.name} {source.release}" for source in each.sources) or "-",
        ]
        for each in found
    )
    output.table(rows, ("NAME", "ASSEMBLY", "GENES", "SOURCES"), (20, 8, 24))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete the words of this command.

    \b
    bash:  gas completion bash > ~/.local/share/bash-completion/completions/gas
    zsh:   gas completion zsh > "${fpath[1]}/_gas"
    fish:  gas completion fish > ~/.config/fish/completions/gas.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise Misused(f"There is no completion for {shell}.")
    click.echo(found(context.find_root().command, {}, "gas", "_GAS_COMPLETE").source())
