"""The command `gas` and how it ends."""

import os
import sys
from collections.abc import Sequence

import click

from gas_client.cli import accounts, changes, jobs, results
from gas_client.cli.session import Means
from gas_client.errors import GasError, NobodyReads, TryLater
from gas_client.start import INTERRUPTED, WORDS, Interrupted, leave, raised
from gas_client.version import __version__

USAGE, LOCAL_FILE = 2, 6


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gas")
def gas() -> None:
    """Annotate variants with a GAS server: send a VCF, get every variant annotated.

    \b
    gas login https://gas.example.org
    gas submit sample.vcf.gz --wait
    gas results 12 --filter gene=PDIA2
    gas download 12

    Output goes to the standard output: with --json one JSON document a line, as the API gives it,
    else in columns, separated by tabs unless it is for a terminal. Errors, progress and advice go
    to the standard error output. Times are UTC.

    \b
    Exit codes:
      0    done
      1    a job that was waited for failed or was cancelled
      2    the command was not understood
      3    not signed in, or the token is not taken
      4    refused: a limit, a missing right, a state that forbids it, no such job
      5    the network or the service failed, or --timeout is over
      6    a file of this machine: changed, unreadable, not writable, wrong checksum
      130  interrupted; repeat the command to go on with what broke off

    \b
    Environment:
      GAS_PROFILE        name of the account to use, instead of --profile
      GAS_TOKEN          token to use instead of the one that is kept
      GAS_URL            address to use with GAS_TOKEN, instead of any that is kept
      XDG_CONFIG_HOME    gas/profiles.json in it holds addresses and tokens  [default: ~/.config]
      XDG_STATE_HOME     gas/unfinished in it holds what broke off  [default: ~/.local/state]
    """


for _command in (
    *(accounts.login, accounts.logout, accounts.whoami),
    *(jobs.submit, jobs.jobs, jobs.status, jobs.log),
    *(results.results, results.download),
    *(changes.cancel, changes.rerun, changes.restore, changes.delete),
    *(accounts.bundles, accounts.completion),
):
    gas.add_command(_command)


def run(arguments: Sequence[str] | None = None, *, means: Means | None = None) -> int:
    """Run the command; returns its exit code, and never lets a traceback be seen for a refusal."""
    try:
        with raised():
            ended = gas.main(
                arguments, prog_name="gas", standalone_mode=False, obj=means or Means()
            )
    except Interrupted:
        leave()
    except click.ClickException as misuse:
        misuse.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo(WORDS, err=True)
        return INTERRUPTED
    except NobodyReads as gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return gone.exit_code
    except GasError as problem:
        click.echo(f"gas: {problem}{_advice(problem)}", err=True)
        return problem.exit_code
    except OSError as trouble:
        click.echo(f"gas: {trouble.filename or 'this machine'}: {trouble.strerror}.", err=True)
        return LOCAL_FILE
    return ended if isinstance(ended, int) else 0


def _advice(problem: GasError) -> str:
    wait = problem.retry_after if isinstance(problem, TryLater) else None
    return f" Try again in {wait:.0f} s." if wait else ""
