"""The only reader of the environment: every setting is read once, typed, and refused loudly."""

import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from gas.variables import OF_THE_CLIENT, VARIABLES

ROOT = Path(__file__).resolve().parent.parent

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def given(name: str) -> str | None:
    """Return the variable as it is set; None when it is unset or empty."""
    return os.environ.get(name) or None


def text(name: str, default: str = "") -> str:
    """Return the variable, or else its default.

    `default` is for what depends on other settings; all others are declared in `gas.variables`.
    """
    return given(name) or default or declared_default(name)


def declared_default(name: str) -> str:
    """What `gas.variables` says of a variable that is not set."""
    if name not in VARIABLES:
        raise ImproperlyConfigured(f"{name} is not declared in gas/variables.")
    return VARIABLES[name].default


def required(name: str) -> str:
    """Return the variable; start-up ends with a sentence when it is missing."""
    value = given(name)
    if value is None:
        raise ImproperlyConfigured(f"{name} must be set.")
    return value


def boolean(name: str, *, default: bool | None = None) -> bool:
    """Read yes/no, true/false, on/off or 1/0."""
    value = text(name, "" if default is None else "yes" if default else "no").lower()
    if value in {"1", "yes", "true", "on"}:
        return True
    if value in {"0", "no", "false", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def integer(
    name: str, default: int | None = None, *, least: int = 0, most: int | None = None
) -> int:
    """Read a whole number that is at least `least` and, where that is given, at most `most`."""
    value = text(name, "" if default is None else str(default))
    span = f"from {least}" + ("" if most is None else f" to {most}")
    number = int(value) if re.fullmatch(r"-?\d+", value) else least - 1
    if number < least or (most is not None and number > most):
        raise ImproperlyConfigured(f"{name} must be a whole number {span}, not {value!r}.")
    return number


def duration(name: str, default: str = "") -> timedelta:
    """Read a time span written as a number with a unit: `30s`, `5m`, `12h`, `7d`."""
    value = text(name, default)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", value)
    if match is None:
        raise ImproperlyConfigured(
            f"{name} must be a time such as 30s, 5m, 12h or 7d, not {value!r}."
        )
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def choice(name: str, default: str = "", allowed: Collection[str] = ()) -> str:
    """Read one of a closed set of words."""
    value = text(name, default)
    if value not in allowed:
        words = ", ".join(sorted(allowed))
        raise ImproperlyConfigured(f"{name} must be one of {words}, not {value!r}.")
    return value


def fernet_keys(name: str) -> list[bytes]:
    """Read comma-separated keys as `Fernet.generate_key` makes them: 32 bytes, URL-safe base64."""
    keys = [key.encode() for key in words(name)]
    for key in keys:
        try:
            Fernet(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must hold keys of 32 bytes in URL-safe base64, separated by commas."
            ) from error
    return keys


def words(name: str, default: str = "") -> list[str]:
    """Read a comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def url(name: str, default: str = "") -> str:
    """Read an http or https address, without its trailing slash."""
    value = text(name, default)
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ImproperlyConfigured(f"{name} must be an http(s) address, not {value!r}.")
    return value.rstrip("/")


def database(name: str, default: str) -> dict[str, object]:
    """Turn `sqlite:///path` or `postgresql://user:password@host:port/name` into Django's form.

    Writers on SQLite take the lock at BEGIN, so that a claim never fails half way through its
    transaction; PostgreSQL's connections are checked before use, so that its restart is ridden out.
    What follows a `?` goes to libpq: `service=gas` has it read user and password from the file
    `PGSERVICEFILE` at each connection.
    https://www.postgresql.org/docs/current/libpq-pgservice.html
    """
    parts = urlsplit(text(name, default))
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path.removeprefix("/")
            if not parts.path.startswith("//")
            else parts.path[1:],
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},
        }
    raise ImproperlyConfigured(f"{name} must start with sqlite:// or postgresql://.")


def topic(name: str) -> str:
    """Read the ARN of an SNS topic; empty when it is unset."""
    value = text(name)
    form = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"
    if value and not re.fullmatch(form, value):
        raise ImproperlyConfigured(f"{name} must be the ARN of a topic of SNS, not {value!r}.")
    return value


def use_our_settings() -> None:
    """Point Django at this project's settings unless somebody chose others."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gas.settings")


def path(name: str, default: Path | None = None) -> Path:
    """Read a path; a relative one is taken from the root of the project."""
    return ROOT / text(name, str(default or ""))


def unknown() -> list[str]:
    """Variables of ours by their name that nobody reads: mostly slips of the pen."""
    ours = {name for name in os.environ if name.startswith("GAS_")}
    return sorted(ours - VARIABLES.keys() - OF_THE_CLIENT)


def secret_values() -> Iterator[str]:
    """What is secret here, for whoever must not tell it; of an address its password."""
    for name, variable in VARIABLES.items():
        if variable.secret:
            for value in words(name):
                yield unquote(urlsplit(value).password or "") if "://" in value else value


@dataclass(frozen=True)
class Smtp:
    """Where to hand mail over by SMTP."""

    host: str
    port: int
    user: str
    password: str
    tls: bool


def smtp(name: str) -> Smtp | None:
    """Read `smtp://user:password@host:port` (`smtps` for STARTTLS); None when unset."""
    parts = urlsplit(text(name, ""))
    if not parts.geturl():
        return None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must look like smtp://user:password@host:port.")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Smtp(parts.hostname, parts.port or 587, user, password, tls=parts.scheme == "smtps")


def local_secret(file: Path) -> str:
    """Return the secret kept in `file`, making it on first use; never for a server."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(secrets.token_urlsafe(48))
        draft.chmod(0o600)
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_text()
