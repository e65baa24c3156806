"""The two pages that a person sees: the checkout and the billing portal."""

from datetime import UTC, datetime
from html import escape

from dev.fake_stripe.ledger import GOOD_CARD, Json

STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --text: #1a1f36; --soft: #4f566b;
  --line: #8792a2; --accent: #4b45c6; --on-accent: #fff; --wrong: #b3093c; }
@media (prefers-color-scheme: dark) { :root { --ground: #12141c; --card: #1c1f2b; --text: #eef0f6;
  --soft: #b4bacb; --line: #737b90; --accent: #a5a1ff; --on-accent: #12141c; --wrong: #ff8fa6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 27rem; margin: 6vh auto; padding: 1.75rem; background: var(--card);
  border-radius: .75rem; box-shadow: 0 .5rem 2rem rgb(0 0 0 / .12); }
h1 { margin: 0 0 .25rem; font-size: 1.4rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 .25rem; font-size: 1.05rem; }
p { margin: .25rem 0 1rem; }
.soft { color: var(--soft); }
.wrong { color: var(--wrong); font-weight: 600; }
label { display: block; font-weight: 600; }
input { width: 100%; margin: .25rem 0 .35rem; padding: .6rem .7rem; font: inherit;
  letter-spacing: .04em; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: .4rem; }
input[aria-invalid=true] { border-color: var(--wrong); }
button, .button { display: block; width: 100%; margin-top: .75rem; padding: .65rem; font: inherit;
  font-weight: 600; text-align: center; text-decoration: none; border-radius: .4rem;
  border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent);
  cursor: pointer; }
.quiet { background: transparent; color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
ul { margin: .25rem 0 1rem; padding-left: 1.2rem; }
code { overflow-wrap: anywhere; }
@media (max-width: 30rem) { main { margin: 0; min-height: 100vh; border-radius: 0; } }
"""


def checkout(session: Json, *, card: str = "", error: str = "") -> str:
    """Return the page where the card is typed in."""
    if session["status"] == "complete":
        return _page(
            "Already paid",
            f"<p>This checkout was completed.</p>{_link(session['success_url'], 'Continue')}",
        )
    invalid = ' aria-invalid="true"' if error else ""
    alert = f'<p class="wrong" id="error" role="alert">{escape(error)}</p>' if error else ""
    email = f"<p>For {escape(session['customer_email'])}</p>" if session["customer_email"] else ""
    cancel = _link(session["cancel_url"], "Cancel", quiet=True) if session["cancel_url"] else ""
    shown = card or " ".join(GOOD_CARD[at : at + 4] for at in range(0, 16, 4))
    return _page(
        f"{'Error: ' if error else ''}Subscribe to GAS Premium",
        f"""<p class="soft">Test payment, billed monthly. No money moves.</p>{email}{alert}
<form method="post">
<label for="card">Card number</label>
<input id="card" name="card" value="{escape(shown)}" required inputmode="numeric"
 autocomplete="cc-number" aria-describedby="hint{" error" if error else ""}"{invalid}>
<p class="soft" id="hint">4242&nbsp;4242&nbsp;4242&nbsp;4242 pays,
4000&nbsp;0000&nbsp;0000&nbsp;0002 is declined.</p>
<button>Pay</button></form>{cancel}""",
        heading="Subscribe to GAS Premium",
    )


def portal(session: Json, subscriptions: list[Json], invoices: list[Json]) -> str:
    """Return the page where a customer sees subscriptions and invoices, and cancels."""
    rows = "".join(map(_subscription, subscriptions)) or "<p>No subscription.</p>"
    paid = "".join(
        f"<li>{_date(row)}, paid <code>{escape(row['id'])}</code></li>" for row in invoices
    )
    back = (
        _link(session["return_url"], "Return to GAS", quiet=True) if session["return_url"] else ""
    )
    return _page("Your billing", f"{rows}<h2>Invoices</h2><ul>{paid}</ul>{back}")


def missing() -> str:
    """Return the page for an address that leads nowhere."""
    return _page("Nothing here", "<p>This payment page does not exist or has expired.</p>")


def _subscription(row: Json) -> str:
    if row["ended_at"]:
        return f"<h2>GAS Premium</h2><p>Cancelled on {_date(row, 'ended_at')}.</p>"
    return f"""<h2>GAS Premium</h2><p>{escape(row["status"]).capitalize()} since {_date(row)}.</p>
<form method="post"><input type="hidden" name="subscription" value="{escape(row["id"])}">
<button>Cancel subscription</button></form>
<p class="soft">It ends at once.</p>"""


def _date(row: Json, name: str = "created") -> str:
    return datetime.fromtimestamp(row[name], UTC).strftime("%-d %B %Y")


def _link(address: str, text: str, *, quiet: bool = False) -> str:
    kind = "button quiet" if quiet else "button"
    return f'<a class="{kind}" href="{escape(address)}">{text}</a>'


def _page(title: str, body: str, *, heading: str = "") -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)} (test)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,"></head>
<body><main><h1>{escape(heading or title)}</h1>{body}</main></body></html>"""
