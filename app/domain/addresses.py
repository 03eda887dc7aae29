"""Where news may be sent to: which URLs can be registered, and which addresses may be connected to.

Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4291 (mapped),
RFC 5214 (ISATAP).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from app.domain.channel import Channel, channel_of, faults_of_mailbox
from app.domain.errors import Fault

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LONGEST_URL = 2048
LONGEST_NAME = 253
LOWEST_FREE_PORT = 1024

SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's own service to its machines: global by number, local by use
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is allocated as global unicast; what lies outside is loopback, local, multicast, translated or reserved."""
SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarks, ORCHID, anycast
        "2001:db8::/32",  # documentation
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""What stands before the IPv4 address in the last half of one that a tunnel made."""

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#.*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


def unwrapped(address: Address) -> Address:
    """Give the IPv4 address that an IPv4-mapped, NAT64, 6to4 or ISATAP address leads to; others as they are."""
    if isinstance(address, IPv4Address):
        return address
    number = int(address)
    if address in _MAPPED or address in _NAT64 or number >> 32 & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return IPv4Address(number >> 80 & 0xFFFFFFFF) if address in _SIX_TO_FOUR else address


def is_global(address: Address) -> bool:
    """Say whether an address, unwrapped, is one that anybody on the internet may have."""
    final = unwrapped(address)
    if isinstance(final, IPv4Address):
        return not any(final in network for network in SPECIAL_V4)
    return final in GLOBAL_V6 and not any(final in network for network in SPECIAL_V6)


@dataclass(frozen=True, slots=True)
class Reach:
    """What this installation may post to: the internet, and the networks that its operator opened by name.

    `allow_http` is for trials: an endpoint need not have TLS, wherever it is. `sends_mail` says whether it has a mail
    server, without which no mail address can be an endpoint.
    """

    networks: tuple[Network, ...] = ()
    allow_http: bool = False
    sends_mail: bool = False

    def may_post_to(self, address: str) -> bool:
        """Say whether a resolved address may be connected to; what is no address may not."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return is_global(found) or self.opens(found)

    def opens(self, address: Address) -> bool:
        """Say whether the operator opened the network of this address, or of the one that it leads to."""
        final = unwrapped(address)
        return any(final in network or address in network for network in self.networks)

    def faults_of(self, url: str) -> tuple[Fault, ...]:
        """List what keeps a URL from being an endpoint, none of it repeating the URL; names are not resolved here."""
        return _faults_of(self, url)


def networks_of(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Read an allow-list such as 10.0.0.0/8 or fd00::/8; ValueError where one is no network."""
    return tuple(ip_network(text) for text in texts)


def origin_of(url: str) -> tuple[str, str]:
    """Give scheme and authority of a URL that has no faults: who is posted to, wherever on its server."""
    scheme, _, rest = url.partition("://")
    return scheme.lower(), re.split(r"[/?]", rest, maxsplit=1)[0].lower()


@lru_cache(maxsize=4096)
def _faults_of(reach: Reach, url: str) -> tuple[Fault, ...]:
    if len(url) > LONGEST_URL:
        return (_fault("url_too_long", f"a URL has at most {LONGEST_URL} characters"),)
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        return (_fault("url_characters", "a URL holds printable ASCII only; write a name in its xn-- form"),)
    if channel_of(url) is Channel.MAIL:
        unsent = () if reach.sends_mail else (_fault("mail_not_sent", "this installation sends no mail"),)
        return (*unsent, *faults_of_mailbox(url))
    parts = _URL.fullmatch(url)
    if parts is None:
        return (_fault("url_invalid", "this is not an absolute URL"),)
    faults = []
    if parts["scheme"].lower() not in {"https", "http"}:
        faults.append(_fault("url_scheme", "an endpoint is reached by https"))
    if parts["fragment"] is not None:
        faults.append(_fault("url_fragment", "a URL to post to has no fragment"))
    return (*faults, *_faults_of_authority(reach, parts["scheme"].lower(), parts["authority"]))


def _faults_of_authority(reach: Reach, scheme: str, authority: str) -> Iterator[Fault]:
    if "@" in authority:
        yield _fault("url_userinfo", "a URL carries no user name and no password")
        return
    place = _AUTHORITY.fullmatch(authority)
    if place is None:
        yield _fault("url_host", "this is not the name or address of a host")
        return
    literal, disguised = _literal(place["host"])
    if disguised is not None:
        yield disguised
    if literal is not None and not reach.may_post_to(str(literal)):
        yield _fault("url_address_not_allowed", "this address is not a public one")
    if scheme == "http" and not (reach.allow_http or (literal is not None and reach.opens(literal))):
        yield _fault("url_https_required", "an endpoint is reached by https")
    if place["port"] is not None and not _port_allowed(int(place["port"]), scheme):
        yield _fault("url_port", f"the port is 443, or one from {LOWEST_FREE_PORT} to 65535")


def _literal(host: str) -> tuple[Address | None, Fault | None]:
    """Read a host that is an address; a name is (None, None), and what is neither, or is disguised, a fault."""
    try:
        if host.startswith("["):
            return IPv6Address(host[1:-1]), None
        labels = host.removesuffix(".").split(".")
        # The last label decides: what ends in a number is read as an IPv4 address (WHATWG URL, "ends in a number").
        if _NUMERIC.fullmatch(labels[-1]):
            return IPv4Address(host), None
    except ValueError:
        return None, _fault("url_host_not_canonical", "an address is written in its plain form")
    if len(host) > LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        return None, _fault("url_host", "this is not the name or address of a host")
    return None, None


def _port_allowed(port: int, scheme: str) -> bool:
    return port == 443 or LOWEST_FREE_PORT <= port <= 65535 or (scheme == "http" and port == 80)


def _fault(code: str, message: str) -> Fault:
    return Fault("/url", code, message)
