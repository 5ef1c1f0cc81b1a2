"""Which network addresses a municipality's endpoint may have. Pure.

Sources: the IANA special-purpose address registries of IPv4 and IPv6 (RFC 6890 and what it was updated by).
`ipaddress.is_global` alone lets NAT64, 6to4, multicast and some documentation ranges pass; the table stands first.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

DENIED_IPV4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's wire server, in a public range
        "169.254.0.0/16",  # link-local, metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
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
        "240.0.0.0/4",  # reserved, limited broadcast
    )
)
UNICAST_IPV6: Final = IPv6Network("2000::/3")
"""The only global unicast space: loopback, mapped, NAT64, local and multicast addresses lie outside of it."""
DENIED_IPV6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address of anybody's choice
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def is_callable(text: str) -> bool:
    """Whether this is one public unicast address; anything that is no address is not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in DENIED_IPV4)
    return _is_callable_ipv6(address)


def is_loopback(text: str) -> bool:
    """Whether this is this machine's own address, as receivers of the local system have it."""
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False


def _is_callable_ipv6(address: IPv6Address) -> bool:
    if address.scope_id is not None or address not in UNICAST_IPV6:
        return False
    return address.is_global and not any(address in network for network in DENIED_IPV6)
