"""Write docs/settings.md from the table of variables: python -m dev.settings_table [--check]"""

import argparse
import sys

from gas.env import ROOT
from gas.variables import SECTIONS, Variable

PAGE = ROOT / "docs/settings.md"

HEAD = """# Settings

Everything is read from the environment, once, at start. A time is a number with a unit: `30s`,
`5m`, `12h`, `7d`. Local values are the defaults; `GAS_MODE=production` refuses stand-ins and asks
for what has no safe default. `manage.py check` names every `GAS_` variable that is set and not in
this table. A value that is secret is taken out of every line of the log, wherever it stands.

| variable | default | kind | what it is |
|---|---|---|---|
"""


def text() -> str:
    """The whole page."""
    rows = []
    for section in SECTIONS:
        rows += [f"| **{section.title}** | | | |\n"] if section.title else []
        rows += map(_row, section.variables)
    return HEAD + "".join(rows)


def _row(each: Variable) -> str:
    default = each.shown or f"`{each.default}`"
    kind = f"{each.kind}, secret" if each.secret else str(each.kind)
    what = f"{each.what}; required in production" if each.required else each.what
    return f"| `{each.name}` | {default} | {kind} | {what} |\n"


def main() -> int:
    """Write the page, or with `--check` tell by the exit status whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    if parser.parse_args().check:
        return int(PAGE.read_text() != text())
    PAGE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
