"""`python -m gas.secret_store FOLDER`: what Secrets Manager keeps for a machine, as files.

`secrets.env` has the variables of the secrets `GAS_SECRETS`, as systemd reads an EnvironmentFile;
`pg_service.conf` has user and password of the database, of the secret `GAS_DATABASE_SECRET`, where
libpq looks at each connection. Credentials are the machine's role's. When Secrets Manager cannot be
asked, what was written before stays good.
"""

import argparse
import json
import logging
import logging.config
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from gas import env
from gas.logs import lines
from gas.storage import clients
from gas.variables import VARIABLES, Kind

logger = logging.getLogger("gas.secret_store")

ENVIRONMENT, SERVICE = "secrets.env", "pg_service.conf"


class SecretUnavailable(Exception):
    """A secret cannot be read now; the words name it and tell nothing of what it holds."""


class SecretUnusable(Exception):
    """A secret does not hold what it must; the words tell nothing of what it holds."""


class Store(Protocol):
    """Where secrets are kept."""

    def read(self, secret: str) -> str:
        """Return the text of a secret by its name or ARN; raises SecretUnavailable."""


class SecretsManager:
    """AWS Secrets Manager, asked with the credentials of the standard AWS environment."""

    def read(self, secret: str) -> str:
        """Return what is current of a secret."""
        try:
            return str(clients.secrets_manager().get_secret_value(SecretId=secret)["SecretString"])
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise SecretUnavailable(f"the secret {secret} is refused: {code}") from error
        except (BotoCoreError, KeyError) as error:
            raise SecretUnavailable(
                f"the secret {secret} cannot be read: {type(error).__name__}"
            ) from error


def environment(variables: Mapping[str, object], folder: Path) -> str:
    """The text of `secrets.env`; what a variable of a path holds goes into a file of `folder`."""
    return "".join(
        f"{name}={_quoted(name, _in_file(name, value, folder))}\n"
        for name, value in sorted(variables.items())
        if _is_ours(name)
    )


def _is_ours(name: str) -> bool:
    """Refuse what could change programs or bring static keys of AWS; a newer release's pass."""
    if not re.fullmatch(r"GAS_[A-Z0-9_]+|DATABASE_URL", name):
        raise SecretUnusable(f"{name!r} is no variable of this service")
    return True


def _in_file(name: str, value: object, folder: Path) -> str:
    if not isinstance(value, str):
        raise SecretUnusable(f"{name} is no text: put it in quotes")
    if name not in VARIABLES or VARIABLES[name].kind is not Kind.PATH:
        return value
    file = folder / name.lower()
    replace(file, value)
    return str(file.absolute())


def _quoted(name: str, value: str) -> str:
    """Quote a value as systemd reads it: https://www.freedesktop.org/software/systemd/man/252/systemd.exec.html"""
    if not value.isprintable():
        raise SecretUnusable(f"{name} has more than one line, or signs that are none")
    return '"' + re.sub(r'(["\\`$])', r"\\\1", value) + '"'


def service(secret: Mapping[str, object]) -> str:
    """The text of `pg_service.conf`, of a secret such as RDS keeps: `username` and `password`."""
    fields = {"user": secret.get("username"), "password": secret.get("password")}
    for name, value in fields.items():
        if not isinstance(value, str) or not _is_readable(value):
            raise SecretUnusable(f"the {name} of the database is missing, or no libpq can read it")
    return "".join(["[gas]\n", *(f"{name}={value}\n" for name, value in fields.items())])


def _is_readable(value: str) -> bool:
    """Tell whether libpq reads a value as it is written: it strips what is blank."""
    return value.isprintable() and value == value.strip() != ""


def variables_of(text: str, secret: str) -> dict[str, object]:
    """Read the JSON of a secret, which is one object."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SecretUnusable(f"the secret {secret} must hold one object of JSON")
    return found


def replace(file: Path, text: str) -> bool:
    """Put a text in the place of a file at once, for its owner alone; tell whether it is new."""
    if file.exists() and file.read_text() == text:
        return False
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as written:
        written.write(text)
    draft.replace(file)
    return True


def write(
    store: Store, secrets: list[str], file: Path, text_of: Callable[[Mapping[str, object]], str]
) -> bool:
    """Write the file of some secrets, the last of which has the word; tell whether there is one.

    All of them or none: a process must not lose what it has because one of them is away.
    """
    held: dict[str, object] = {}
    try:
        for secret in secrets:
            held |= variables_of(store.read(secret), secret)
        new = replace(file, text_of(held))
    except (SecretUnavailable, SecretUnusable) as error:
        logger.warning("%s", str(error))  # our own words, which may be told
        return file.exists()
    if new:
        logger.info("%s is as the secret %s is now", file.name, " and ".join(secrets))
    return True


def main(arguments: list[str] | None = None, *, store: Store | None = None) -> int:
    """Write what is configured; the exit status is 1 when something was never there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database", action="store_true", help="look for its password alone")
    asked = parser.parse_args(arguments)
    folder, kept = asked.folder, store or SecretsManager()
    wanted: list[tuple[list[str], str, Callable[[Mapping[str, object]], str]]] = [
        (env.words("GAS_DATABASE_SECRET"), SERVICE, service)
    ]
    if not asked.database:
        variables = env.words("GAS_SECRETS")
        wanted.append((variables, ENVIRONMENT, lambda held: environment(held, folder)))
    done = [write(kept, names, folder / file, text) for names, file, text in wanted if names]
    return 0 if all(done) else 1


if __name__ == "__main__":
    logging.config.dictConfig(
        lines.configuration(
            level="INFO", style=env.text("GAS_LOG_FORMAT"), secrets=env.secret_values()
        )
    )
    sys.exit(main())
