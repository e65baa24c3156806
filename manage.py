"""Django's command line for the service."""

import os
import signal
import sys

from django.core.management import execute_from_command_line

from gas import env


def main() -> int:
    """Run one command and return its exit status, also when nobody reads it to its end."""
    env.use_our_settings()
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our stdout has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
