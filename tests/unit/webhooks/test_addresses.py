"""Where a webhook may lead: the public internet by https, and nowhere that is near to us."""

import socket
from typing import Any

import pytest
from pytest_django import Settings

from gas.webhooks.addresses import BadAddress, is_public, looked_up, target_of

PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255"),
    *("172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "169.254.170.2"),
    *("100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.1", "192.0.0.192"),
    *("192.0.2.7", "198.51.100.7", "203.0.113.7", "198.18.0.1", "198.19.255.255"),
    *("192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1"),
    *("100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    *("2001::1", "2001:0:53aa:64c::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "3fff::1"),
    *("5f00::1", "not an address", "", "1.2.3", "999.1.1.1"),
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:81b::200e"]


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    """As in production: this machine is no receiver."""
    settings.WEBHOOK_LOOPBACK = False


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://router.home.arpa/",
        "https://intranet/",
        "https://hooks.example.org:22/",
        "https://hooks.example.org:80/",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:99999/",
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "//hooks.example.org/",
        "hooks.example.org",
        "https://",
        "https:///path",
        "https://user:word@hooks.example.org/",
        "https://hooks.example.org@127.0.0.1/",
        "https://hooks.example.org#@127.0.0.1/",
        "https://127.0.0.1\\@hooks.example.org/",
        "https://hooks.example.org/\r\nX-Header: 1",
        "https://hooks.example.org/a b",
        "https://hooks.exämple.org/",
        "https://-hooks.example.org/",
        "https://hooks..example.org/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://hooks.example.org/" + "a" * 500,
        "",
    ],
)
def test_an_address_that_is_never_called_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(BadAddress):
        target_of(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "netloc"),
    [
        ("https://hooks.example.org", "hooks.example.org", 443, "/", "hooks.example.org"),
        (
            "https://Hooks.example.org/a?b=c",
            "hooks.example.org",
            443,
            "/a?b=c",
            "hooks.example.org",
        ),
        ("https://a.example.org:8443/x", "a.example.org", 8443, "/x", "a.example.org:8443"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700::1111]/", "2606:4700::1111", 443, "/", "[2606:4700::1111]"),
    ],
)
def test_the_parts_of_an_address(url: str, host: str, port: int, path: str, netloc: str) -> None:
    target = target_of(url)
    assert (target.host, target.port, target.path, target.netloc) == (host, port, path, netloc)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names lead to."""
    known: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (each, port)) for each in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.mark.parametrize("address", PRIVATE[:-4])
def test_a_name_that_leads_to_one_private_address_among_public_ones_is_refused(
    names: dict[str, list[str]], address: str
) -> None:
    target = target_of("https://hooks.example.org/")
    names["hooks.example.org"] = ["8.8.8.8", address]
    with pytest.raises(BadAddress, match="not public"):
        looked_up(target, seconds=5)


def test_a_public_name_is_looked_up(names: dict[str, list[str]]) -> None:
    names["hooks.example.org"] = ["8.8.8.8", "8.8.8.8", "1.1.1.1"]
    assert looked_up(target_of("https://hooks.example.org/"), seconds=5) == ["8.8.8.8", "1.1.1.1"]


def test_an_unknown_name_is_a_fault_that_passes(names: dict[str, list[str]]) -> None:
    with pytest.raises(socket.gaierror):
        looked_up(target_of("https://hooks.example.org/"), seconds=5)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8123/a", "http://localhost:8123/", "http://[::1]:80/"]
)
def test_a_laptop_may_call_itself_and_nothing_else_near(settings: Settings, url: str) -> None:
    settings.WEBHOOK_LOOPBACK = True
    assert not target_of(url).is_https
    for near in ("https://10.0.0.1/", "https://169.254.169.254/", "http://hooks.example.org/"):
        with pytest.raises(BadAddress):
            target_of(near)
