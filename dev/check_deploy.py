"""`python -m dev.check_deploy`: the deployment checks, with the settings of a production."""

import os
import subprocess
import sys

PRODUCTION = {
    "GAS_MODE": "production",
    "GAS_SECRET_KEY": "a key of this check alone, as long as Django wants a secret key to be: 0123",
    "GAS_BASE_URL": "https://gas.example.org",
    "GAS_HOSTS": "gas.example.org",
    "DATABASE_URL": "postgresql://gas@database.example.org/gas",
    "GAS_AWS_ACCOUNT": "123456789012",
    "GAS_MAIL_FROM": "GAS <no-reply@gas.example.org>",
    "GAS_ADMINS": "operators@gas.example.org",
    "GAS_GLOBUS_CLIENT_ID": "00000000-0000-4000-8000-000000000000",
    "GAS_GLOBUS_CLIENT_SECRET": "a secret of this check alone",
    "GAS_STRIPE_KEY": "sk_live_of_this_check",
    "GAS_STRIPE_WEBHOOK_SECRET": "whsec_of_this_check",
    "GAS_STRIPE_PRICE": "price_of_this_check",
}


def main() -> int:
    """Return the exit code of `manage.py check --deploy`, where a warning is an error."""
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    around = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return subprocess.run(command, env={**around, **PRODUCTION}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
