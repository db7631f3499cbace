"""Country and network of a network address, from mmdb files that the operator supplies.

Without them nothing is known, which is said as such.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

# Read where the operator has such a file.
if TYPE_CHECKING:
    import maxminddb

# Names of networks that sell computers, not connections. There is no free list of them; the operator's file names the
# network.
_HOSTING = re.compile(
    r"amazon|google-cloud|microsoft|azure|digitalocean|hetzner|ovh|linode|akamai|vultr|choopa|contabo|leaseweb|hosting|server|datacenter|data"
    r" center|cloud",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    country: str | None = None
    hosting: bool | None = None


def place_of(ip: str) -> Place:
    """None for what no file says."""
    if not ip:
        return Place()
    country, network = _record(settings.CONFIG.ip_country_db, ip), _record(settings.CONFIG.ip_network_db, ip)
    name = network.get("autonomous_system_organization") or network.get("as_name") or network.get("name")
    return Place(_country(country), None if not name else bool(_HOSTING.search(str(name))))


def _country(record: dict[str, object]) -> str | None:
    """Files of different makers: {"country": {"iso_code": "US"}} or {"country_code": "US"}."""
    inner = record.get("country")
    found = inner.get("iso_code") if isinstance(inner, dict) else record.get("country_code") or inner
    return str(found).upper() if found and len(str(found)) == 2 else None


def _record(path: Path | None, ip: str) -> dict[str, object]:
    reader = _open(path) if path else None
    if reader is None:
        return {}
    try:
        found = reader.get(ip)
    except ValueError:
        return {}
    return dict(found) if isinstance(found, dict) else {}


@lru_cache
def _open(path: Path) -> "maxminddb.Reader | None":
    import maxminddb

    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError):
        return None
