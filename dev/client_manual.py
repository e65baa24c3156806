"""`python -m dev.client_manual` writes docs/client.md: the help of every command of the client."""

import inspect
from pathlib import Path

import click

from gas_client.cli.main import gas

PAGE = Path(__file__).resolve().parent.parent / "docs" / "client.md"
WIDTH = 90
HELP = ["-h", "--help"]

BEGINNING = """# The command `gas`

[client/README.md](../client/README.md) tells how to install it and how to use it in notebooks. This
page is made of what `--help` says (`PYTHONPATH=client python -m dev.client_manual`).

"""


def text() -> str:
    """The page."""
    root = click.Context(gas, info_name="gas", terminal_width=WIDTH, help_option_names=HELP)
    sections = [_section(gas, root)]
    for name in sorted(gas.commands):
        context = click.Context(gas.commands[name], info_name=name, parent=root)
        sections.append(f"## gas {name}\n\n{_section(gas.commands[name], context)}")
    return BEGINNING + "\n".join(sections)


def _section(command: click.Command, context: click.Context) -> str:
    return f"```\n{inspect.cleandoc(command.get_help(context))}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(text())
