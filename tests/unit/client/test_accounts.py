"""Where the token goes, and where it is kept."""

import json
import os
from pathlib import Path

import httpx
import pytest

from gas_client import Client, FileTrouble, Misused, NotSignedIn, Refused
from gas_client.addresses import service_address
from gas_client.profiles import Profile, Profiles, account
from tests.unit.client.service import ADDRESS, TOKEN, Service


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://gas.example.org", "https://gas.example.org"),
        ("gas.example.org", "https://gas.example.org"),
        (" HTTPS://GAS.example.org/account/tokens/?a#b ", "https://gas.example.org"),
        ("https://gas.example.org:8443/", "https://gas.example.org:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_an_address_is_understood_as_people_paste_it(given: str, address: str) -> None:
    assert service_address(given) == address


@pytest.mark.parametrize(
    "given",
    [
        *("http://gas.example.org", "http://127.0.0.1.example.org", "http://localhost.example.org"),
        *("http://0x7f.1:8000", "http://127.0.0.1@example.org", "https://user@gas.example.org"),
        *("ftp://gas.example.org", "file:///etc/passwd", "https://", "https://gas:port", ""),
    ],
)
def test_an_address_where_the_token_would_not_be_safe_is_refused(given: str) -> None:
    with pytest.raises(Misused):
        service_address(given)
    with pytest.raises(Misused):
        Client(given, TOKEN)


def test_http_to_another_machine_is_for_those_who_say_so() -> None:
    with pytest.raises(Misused, match="--insecure-http"):
        service_address("http://10.0.0.7:8000")
    assert service_address("http://10.0.0.7", insecure_http=True) == "http://10.0.0.7"


@pytest.mark.parametrize("there", ["https://evil.example.org/", "http://gas.example.org/"])
def test_a_redirect_is_never_followed_with_the_token(
    client: Client, service: Service, there: str
) -> None:
    service.fail("GET", "/me", httpx.Response(308, headers={"Location": there}))
    with pytest.raises(Refused, match="sends on to"):
        client.me()
    assert [one.url.host for one in service.requests] == ["gas.example.org"]


def test_a_proxy_of_the_environment_never_reads_what_stays_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with Client("http://127.0.0.1:8000", TOKEN) as client:
        for connections in (client._wire._service, client._wire._storage):
            here = connections._transport_for_url(httpx.URL("http://127.0.0.1:8000/x"))
            away = connections._transport_for_url(httpx.URL("http://storage.example.org/x"))
            assert here is connections._transport
            assert away is not connections._transport


def test_profiles_are_for_their_owner_alone_and_several_can_be_kept(home: Path) -> None:
    kept = Profiles()
    kept.keep("default", Profile(ADDRESS, TOKEN))
    kept.keep("lab", Profile("http://10.0.0.7", "gas_other", insecure_http=True))
    assert kept.path == home / "config" / "gas" / "profiles.json"
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert kept.path.parent.stat().st_mode & 0o777 == 0o700
    assert kept.names() == ["default", "lab"]
    assert kept.find("lab") == Profile("http://10.0.0.7", "gas_other", insecure_http=True)
    assert kept.forget("lab")
    assert not kept.forget("lab")
    assert kept.find() == Profile(ADDRESS, TOKEN)


def test_a_file_of_profiles_that_others_can_read_is_not_used() -> None:
    kept = Profiles()
    kept.keep("default", Profile(ADDRESS, TOKEN))
    kept.path.chmod(0o640)
    with pytest.raises(FileTrouble, match="Others can read"):
        kept.find()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"default": 1}', '{"default": {}}'])
def test_a_damaged_file_of_profiles_is_told_in_a_sentence(content: str) -> None:
    kept = Profiles()
    kept.keep("default", Profile(ADDRESS, TOKEN))
    kept.path.write_text(content)
    with pytest.raises(FileTrouble, match=r"damaged|something else"):
        kept.find()


def test_a_relative_xdg_folder_is_not_one(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    monkeypatch.setenv("HOME", str(home))
    assert Profiles().path == home / ".config" / "gas" / "profiles.json"


def test_the_token_is_in_no_representation() -> None:
    profile = Profile(ADDRESS, TOKEN)
    client = Client(ADDRESS, TOKEN)
    for shown in (repr(profile), repr(client), str(vars(client._wire._service)["_headers"])):
        assert TOKEN not in shown


def test_the_environment_comes_before_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    Profiles().keep("default", Profile(ADDRESS, TOKEN))
    monkeypatch.setenv("GAS_TOKEN", "gas_of-the-environment")
    assert account() == Profile(ADDRESS, "gas_of-the-environment")
    monkeypatch.setenv("GAS_URL", "https://other.example.org")
    assert account() == Profile("https://other.example.org", "gas_of-the-environment")


def test_a_kept_token_never_goes_to_an_address_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Profiles().keep("default", Profile(ADDRESS, TOKEN))
    monkeypatch.setenv("GAS_URL", "https://evil.example.org")
    with pytest.raises(Misused, match="GAS_TOKEN"):
        account()


def test_without_a_profile_one_is_told_how_to_sign_in() -> None:
    with pytest.raises(NotSignedIn, match="gas login ADDRESS"):
        Client.from_profile()
    with pytest.raises(NotSignedIn, match="gas login --profile lab ADDRESS"):
        Client.from_profile("lab")


def test_a_broken_write_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Profiles()
    kept.keep("default", Profile(ADDRESS, TOKEN))

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        kept.keep("lab", Profile(ADDRESS, TOKEN))
    assert list(json.loads(kept.path.read_text())) == ["default"]
    assert [file.name for file in kept.path.parent.iterdir()] == ["profiles.json"]
