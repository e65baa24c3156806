"""`python -m dev.fake_globus --port 8001` serves until it is stopped."""

import argparse
import signal
import sys
from contextlib import suppress

from dev.fake_globus.personas import PERSONAS
from dev.fake_globus.server import FakeGlobus


def main() -> None:
    """Serve on the chosen port and say who can sign in."""
    parser = argparse.ArgumentParser(prog="python -m dev.fake_globus", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with FakeGlobus(chosen.port, chosen.host, PERSONAS) as server, suppress(KeyboardInterrupt):
        names = ", ".join(persona.name for persona in PERSONAS)
        print(f"Globus stand-in on {server.url}; it knows: {names}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
