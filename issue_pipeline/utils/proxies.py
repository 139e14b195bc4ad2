"""Proxies that the environment names: never for the loopback interface."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine itself; False for what is no URL."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def no_proxy_for_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``NO_PROXY`` and ``no_proxy`` as they are there, with the loopback hosts added.

    A proxy cannot reach this machine's loopback interface, and would read what is sent there.
    """
    present = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [host for host in present.split(",") if host.strip()]
    hosts += [host for host in LOOPBACK_HOSTS if host not in hosts]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(hosts))
