"""Services that somebody signed in to, each under a name, with the token for it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gas_client.addresses import service_address
from gas_client.errors import FileTrouble, Misused, NotSignedIn
from gas_client.places import config_folder, read_private, variable, write_private

USUAL = "default"


@dataclass(frozen=True)
class Profile:
    """A service and the way in; the token is in no representation of it."""

    address: str
    token: str = field(repr=False)
    insecure_http: bool = False


class Profiles:
    """The file of profiles, for its owner alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or config_folder()) / "profiles.json"

    def find(self, name: str = USUAL) -> Profile:
        """Return a profile; NotSignedIn when there is none of that name."""
        kept = self._read().get(name)
        if kept is None:
            which = "" if name == USUAL else f" --profile {name}"
            raise NotSignedIn(f"You are not signed in; run: gas login{which} ADDRESS")
        try:
            return Profile(
                str(kept["address"]), str(kept["token"]), bool(kept.get("insecure_http"))
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise FileTrouble(f"{self.path} is damaged; remove it and sign in again.") from error

    def names(self) -> list[str]:
        """Return the names of all profiles, in order."""
        return sorted(self._read())

    def keep(self, name: str, profile: Profile) -> None:
        """Add a profile, or replace the one of that name."""
        told = {"address": profile.address, "token": profile.token}
        plain = {"insecure_http": True} if profile.insecure_http else {}
        write_private(self.path, self._read() | {name: told | plain})

    def forget(self, name: str) -> bool:
        """Remove a profile with its token; False when there is none of that name."""
        rest = self._read()
        if rest.pop(name, None) is None:
            return False
        write_private(self.path, rest)
        return True

    def _read(self) -> dict[str, Any]:
        return read_private(self.path)


def account(name: str = USUAL) -> Profile:
    """Return the account of the environment (GAS_URL, GAS_TOKEN), else that of a profile.

    A token that is kept for one address is never sent to another one.
    """
    address, token = variable("GAS_URL"), variable("GAS_TOKEN")
    if address and not token:
        raise Misused("GAS_URL is set without GAS_TOKEN; set both, or neither.")
    if address:
        return Profile(service_address(address), token)
    kept = Profiles().find(name)
    return Profile(kept.address, token or kept.token, kept.insecure_http)
