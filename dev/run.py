"""`make run`: the whole service for a person, until Ctrl-C."""

import sys
import time
from pathlib import Path

from dev.children import DidNotStart, alone_in, end_in_order
from dev.fake_globus.personas import PERSONAS
from dev.stack import Ports, Stack

FOLDER = Path(__file__).resolve().parent.parent / "var" / "run"


def main() -> int:
    """Start the service, say where it is and who can sign in, and wait."""
    end_in_order()
    try:
        with alone_in(FOLDER), Stack(FOLDER, Ports.usual()) as stack:
            print(f"\nThe service runs at {stack.site_url}")
            print("Sign in as one of:", ", ".join(persona.name for persona in PERSONAS))
            print("Subscribe with card 4242 4242 4242 4242.")
            print(f"Staff pages: {stack.site_url}/admin/ (as the staff operator)")
            print(f"Logs and data: {FOLDER}\nCtrl-C stops everything.")
            return _watch(stack)
    except DidNotStart as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def _watch(stack: Stack) -> int:
    while not (last_words := stack.ended()):
        time.sleep(1)
    print(last_words, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
