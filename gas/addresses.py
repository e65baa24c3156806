"""From which address a request came, as far as that can be known."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

#: What one customer of a provider has of IPv6, all of which is one sender.
ONE_SITE = 64


def sender(request: HttpRequest) -> str:
    """A name for whoever sent a request: the same for the same address, which it does not tell."""
    address = _address(request)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    network = (
        str(ip_network((address, ONE_SITE), strict=False))
        if isinstance(address, IPv6Address)
        else str(address)
    )
    return salted_hmac("gas.addresses", network).hexdigest()[:32]


def _address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """What the outermost of our own proxies saw: all before that is what the sender says."""
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    path = [*told, request.META.get("REMOTE_ADDR", "")]  # each saw the one before it
    try:
        return ip_address(path[-1 - settings.PROXIES].strip())
    except (ValueError, IndexError):
        return None
