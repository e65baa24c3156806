"""The two pages of the stand-in that people see."""

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

from dev.fake_globus.ledger import Request
from dev.fake_globus.personas import Persona

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --paper: #f3f5f8; --card: #fff; --ink: #16202c;
  --soft: #4d5b6b; --line: #c3ccd6; --accent: #1f5aa6; --over: #eaf1fa; }}
@media (prefers-color-scheme: dark) {{ :root {{ --paper: #10151c; --card: #1a222c;
  --ink: #eef2f6; --soft: #b0bcc9; --line: #435061; --accent: #8dbcf5; --over: #24303e; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; padding: 2rem 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }}
main {{ max-width: 30rem; margin: 0 auto; padding: 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .75rem; }}
h1 {{ margin: 0 0 .25rem; font-size: 1.4rem; }}
p {{ margin: 0 0 1rem; color: var(--soft); }}
ul {{ margin: 0 0 1rem; padding-left: 1.2rem; color: var(--soft); overflow-wrap: anywhere; }}
button {{ display: block; width: 100%; margin: 0 0 .6rem; padding: .7rem 1rem; font: inherit;
  text-align: left; color: inherit; background: none; border: 1px solid var(--line);
  border-radius: .5rem; cursor: pointer; }}
button:hover, button:focus-visible {{ background: var(--over); border-color: var(--accent); }}
button span {{ display: block; font-size: .875rem; color: var(--soft); }}
button.deny {{ margin-top: 1rem; text-align: center; }}
a {{ color: var(--accent); }}
</style>
</head>
<body><main>
<h1>{title}</h1>
{body}
</main></body>
</html>
"""


def choose(personas: Iterable[Persona], request: Request) -> str:
    """Return the page on which one picks who to be, or denies the application."""
    buttons = "\n".join(_button(persona) for persona in personas)
    scopes = "\n".join(f"<li>{escape(scope)}</li>" for scope in request.scopes)
    return _page(
        "Sign in",
        f"""<p>This page stands in for Globus on this machine. Who would you like to be?</p>
<form method="post">
{buttons}
<p>GAS asks to use:</p>
<ul>{scopes}</ul>
<button class="deny" name="deny" value="yes">Deny</button>
</form>""",
    )


def signed_out(back_to: str | None, name: str) -> str:
    """Return the page after web logout, with a link back when the application may have one."""
    link = f'<p><a href="{escape(back_to)}">Continue to {escape(name)}</a></p>' if back_to else ""
    return _page("You are signed out", f"<p>Your session with Globus has ended.</p>\n{link}")


def refused(reason: str) -> str:
    """Return the page for a request that the stand-in will not serve."""
    return _page("This request cannot be served", f"<p>{escape(reason)}</p>")


def back(redirect_uri: str, **answer: str) -> str:
    """Return the application's address with the answer in its query."""
    return f"{redirect_uri}?{urlencode(answer)}"


def _page(title: str, body: str) -> str:
    return _PAGE.format(title=escape(title), body=body)


def _button(persona: Persona) -> str:
    name, email, note = escape(persona.name), escape(persona.email), escape(persona.note)
    hint = f"{email}, {note}" if note else email
    return (
        f'<button name="identity" value="{escape(persona.sub)}">{name} <span>{hint}</span></button>'
    )
