"""Sample prices: by great-circle distance between rough middles of the states, and by weight. Nobody's real tariff."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from crossdock.domain.labels import HOME, Quote, Wanted
from crossdock.domain.values import Address, Money
from crossdock.kit.errors import BadInput

BRAND = "Crossdock Sample Post"
CURRENCY = "USD"
# (latitude, longitude), to a degree.
_MIDDLES = {
    "AL": (33, -87),
    "AK": (64, -153),
    "AZ": (34, -112),
    "AR": (35, -92),
    "CA": (37, -120),
    "CO": (39, -105),
    "CT": (42, -73),
    "DE": (39, -75),
    "DC": (39, -77),
    "FL": (28, -82),
    "GA": (33, -83),
    "HI": (20, -156),
    "ID": (44, -115),
    "IL": (40, -89),
    "IN": (40, -86),
    "IA": (42, -93),
    "KS": (38, -98),
    "KY": (38, -85),
    "LA": (31, -92),
    "ME": (45, -69),
    "MD": (39, -77),
    "MA": (42, -72),
    "MI": (44, -85),
    "MN": (46, -94),
    "MS": (33, -90),
    "MO": (38, -92),
    "MT": (47, -110),
    "NE": (42, -100),
    "NV": (39, -117),
    "NH": (44, -72),
    "NJ": (40, -75),
    "NM": (34, -106),
    "NY": (43, -75),
    "NC": (35, -79),
    "ND": (47, -100),
    "OH": (40, -83),
    "OK": (36, -97),
    "OR": (44, -121),
    "PA": (41, -78),
    "RI": (42, -72),
    "SC": (34, -81),
    "SD": (44, -100),
    "TN": (36, -86),
    "TX": (31, -99),
    "UT": (39, -112),
    "VT": (44, -73),
    "VA": (38, -79),
    "WA": (47, -121),
    "WV": (39, -81),
    "WI": (45, -90),
    "WY": (43, -108),
}
_FAR_AWAY = 9
_ZONE_ENDS_KM = (240, 480, 960, 1600, 2250, 2900, 3600)
_EARTH_KM = 6371


@dataclass(frozen=True, slots=True)
class Service:
    code: str
    name: str
    base: int
    per_zone: int
    per_100_g: int
    days: tuple[int, int]


HOME_SERVICES = (
    Service("ground", "Ground", 390, 45, 22, (2, 6)),
    Service("priority", "Priority", 690, 80, 30, (1, 3)),
    Service("express", "Express", 1990, 150, 60, (1, 1)),
)
ABROAD_SERVICES = (
    Service("world", "World", 1290, 90, 110, (8, 16)),
    Service("world-express", "World Express", 3990, 160, 190, (3, 5)),
)


def zone(start: Address, end: Address) -> int:
    """1 next door to 8 across the country; 9 abroad, and where we don't know the state."""
    here, there = _MIDDLES.get(start.region.upper()), _MIDDLES.get(end.region.upper())
    if start.country != HOME or end.country != HOME or here is None or there is None:
        return _FAR_AWAY
    return 1 + sum(_kilometres(here, there) > end_km for end_km in _ZONE_ENDS_KM)


def _kilometres(here: tuple[float, float], there: tuple[float, float]) -> float:
    """The haversine."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(radians, place)) for place in (here, there))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(half))


def quotes(wanted: Wanted) -> tuple[Quote, ...]:
    """Cheapest first. Raises BadInput for what it does not carry."""
    if wanted.ship_from.country != HOME:
        raise BadInput(f"{BRAND} collects parcels only in the US.")
    if wanted.insured is not None and wanted.insured.currency != CURRENCY:
        raise BadInput(f"{BRAND} insures in {CURRENCY}.")
    far, steps = zone(wanted.ship_from, wanted.ship_to), -(-wanted.parcel.grams // 100)
    # One percent of the value, and at least one dollar.
    insurance = max(100, -(-wanted.insured.minor // 100)) if wanted.insured else 0
    services = ABROAD_SERVICES if wanted.abroad else HOME_SERVICES
    return tuple(
        Quote(
            BRAND,
            service.name,
            Money(service.base + service.per_zone * (far - 1) + service.per_100_g * steps + insurance, CURRENCY),
            service.code,
            min(service.days[0] + far // 2, service.days[1]),
            Money(insurance, CURRENCY) if insurance else None,
        )
        for service in services
    )
