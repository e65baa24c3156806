"""Django's command line for the service."""

import sys

from django.core.management import execute_from_command_line

from gas import env

if __name__ == "__main__":
    env.use_our_settings()
    execute_from_command_line(sys.argv)
