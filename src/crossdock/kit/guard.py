"""No request to where the seller's word should not reach: private, loopback and link-local addresses.

Checked on the socket, so no name can change its mind after.
"""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from crossdock.kit.errors import NotSent

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(OSError):
    """This address is not for us.

    An OSError, as the connecting code expects; all with the same words, so that one comes out of many.
    """

    def __init__(self) -> None:
        super().__init__("the address is not public")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet. IPv4 inside IPv6 counts as what is inside."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(ip.packed[-4:])
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def guarded_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for one address that a name resolved to. Raises Forbidden when it is not public."""
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise Forbidden
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made


def check_url(url: str, *, local: bool) -> None:
    """Refuse what needs no look-up to be refused. Raises NotSent with a sentence for the seller."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise NotSent("That is no web address.") from None
    if not host or parts.scheme not in ("http", "https"):
        raise NotSent("That is no web address: it must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise NotSent("A web address must not carry a user name or a password.")
    if parts.scheme == "http" and not local:
        raise NotSent("The address must begin with https://, so that nobody on the way can read the shop's keys.")
