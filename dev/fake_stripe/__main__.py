"""`python -m dev.fake_stripe`: run until interrupted or terminated."""

import argparse
import signal
from pathlib import Path

from dev.fake_stripe import FakeStripe, Switches, start

STOPS = {signal.SIGINT, signal.SIGTERM}


def main() -> None:
    """Serve with the switches of the command line until a signal ends it."""
    options = _options()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    with start(port=options.port, webhook=options.webhook, state=options.state) as fake:
        _turn(fake, options)
        print(f"fake Stripe on {fake.url}, webhooks to {options.webhook}", flush=True)
        signal.sigwait(STOPS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.fake_stripe", description="A loopback Stripe.")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--webhook", default="http://127.0.0.1:8000/billing/webhook/")
    parser.add_argument("--state", type=Path, help="a JSON file that survives a restart")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each webhook")
    for name in ("duplicate", "reorder", "drop", "forge"):
        parser.add_argument(f"--{name}", action="store_true", help=f"{name} webhooks")
    parser.add_argument("--outage", type=int, default=0, help="HTTP status of every API call")
    return parser.parse_args()


def _turn(fake: FakeStripe, options: argparse.Namespace) -> None:
    for name in Switches.__dataclass_fields__:
        setattr(fake.switches, name, getattr(options, name))


if __name__ == "__main__":
    main()
