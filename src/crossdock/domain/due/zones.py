"""Time zones by their names in the IANA database, and in people's words."""

from functools import lru_cache

from babel.core import get_global
from babel.dates import get_timezone_location

# Where most people of a country with several live; the first by name elsewhere.
_MOST = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CY": "Asia/Nicosia",
    "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei",
    "GL": "America/Nuuk",
    "KI": "Pacific/Tarawa",
    "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City",
    "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
    "XK": "Europe/Belgrade",
}


@lru_cache(maxsize=1)
def zones() -> dict[str, str]:
    """The zones that somebody can live in: name -> country code. "UTC" is of no country."""
    found = dict(get_global("zone_territories"))
    found.pop("Etc/Unknown", None)
    return {"UTC": "", **{name: country for name, country in sorted(found.items()) if "/" in name}}


@lru_cache(maxsize=300)
def zone_of(country: str) -> str:
    """The zone that a seller of this country begins with."""
    return _MOST.get(country) or next((name for name, of in zones().items() if of == country), "UTC")


@lru_cache(maxsize=500)
def place_of(zone: str) -> str:
    """ "Berlin", "New York", "UTC"."""
    return get_timezone_location(zone, locale="en_US", return_city=True).rpartition("/")[2]
