"""Carriers known by name or by the look of a number (domain/tracking.py), and where a parcel can be followed.

A number that fits nobody surely keeps the words it came with.
"""

import re
from dataclasses import dataclass

from crossdock.domain.tracking import recognise


@dataclass(frozen=True, slots=True)
class Carrier:
    """`link` has a place for the number."""

    name: str
    aliases: tuple[str, ...]
    link: str


CARRIERS: tuple[Carrier, ...] = (
    Carrier("UPS", ("ups", "united parcel service"), "https://www.ups.com/track?tracknum={}"),
    Carrier(
        "USPS", ("usps", "united states postal service"), "https://tools.usps.com/go/TrackConfirmAction?tLabels={}"
    ),
    Carrier("FedEx", ("fedex", "federal express"), "https://www.fedex.com/fedextrack/?trknbr={}"),
    Carrier("DHL Express", ("dhl express", "dhl"), "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}"),
    Carrier(
        "DHL eCommerce",
        ("dhl ecommerce", "dhl e commerce", "dhl global mail"),
        "https://www.dhl.com/us-en/home/tracking/tracking-ecommerce.html?tracking-id={}",
    ),
    Carrier("OnTrac", ("ontrac", "lasership"), "https://www.ontrac.com/tracking/?number={}"),
    Carrier(
        "Amazon Logistics", ("amazon logistics", "amazon", "amazon shipping"), "https://track.amazon.com/tracking/{}"
    ),
    Carrier(
        "Deutsche Post DHL",
        ("deutsche post", "dhl paket", "dhl germany"),
        "https://www.dhl.de/en/privatkunden/pakete-empfangen/verfolgen.html?piececode={}",
    ),
    Carrier("Royal Mail", ("royal mail",), "https://www.royalmail.com/track-your-item#/tracking-results/{}"),
    Carrier(
        "Canada Post",
        ("canada post", "postes canada"),
        "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}",
    ),
    Carrier("Australia Post", ("australia post", "auspost"), "https://auspost.com.au/mypost/track/#/details/{}"),
    Carrier(
        "Japan Post",
        ("japan post",),
        "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={}&locale=en",
    ),
    Carrier("La Poste", ("la poste", "colissimo"), "https://www.laposte.fr/outils/suivre-vos-envois?code={}"),
)
_BY_NAME = {carrier.name: carrier for carrier in CARRIERS}
# What forms and plugins write where no carrier was chosen (sources: tests/cases/test_parcel_corrections.py).
_NOBODY = frozenset(
    {"other", "others", "custom", "custom provider", "none", "no carrier", "n a", "na", "unknown", "null"}
    # Where a shop has one field for the way something is sent, this stands in it, written by us or by its seller.
    | {"shipped", "manual", "manual fulfillment", "standard shipping", "express shipping", "by hand"}
)
# Services that belong to one house and are written without its name.
_SERVICES = {
    "priority mail": "USPS",
    "priority mail express": "USPS",
    "first class mail": "USPS",
    "first class package": "USPS",
    "first class package service": "USPS",
    "ground advantage": "USPS",
    "media mail": "USPS",
    "parcel select": "USPS",
    "surepost": "UPS",
    "mail innovations": "UPS",
    "smartpost": "FedEx",
    "ground economy": "FedEx",
}
# Words that carriers' services are made of: "UPS Ground" and "FedEx 2Day" are UPS and FedEx, "DHL Freight" and
# "FedEx Poland" may be houses of their own.
_OF_SERVICE = frozenset(
    re.findall(
        r"\S+",
        "ground express expedited economy standard saver plus worldwide international intl domestic overnight priority"
        " first class mail package parcel select media advantage home delivery surepost smartpost smart post sure"
        " innovations tracked signed for next day air 1day 2day 2nd 3 2 1 24 48 am pm early special guaranteed access"
        " flat rate box envelope service xpresspost regular returns",
    )
)
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


def plain(number: str) -> str:
    """A number without the spaces and hyphens that people put in, in capitals: two that are equal so are one parcel.

    An address that was typed as number stays as it is: its letters may differ by case.
    """
    number = number.strip()
    return number if _LINK.fullmatch(number) else re.sub(r"[\s-]", "", number).upper()


def follow(number: str, *, named: str, url: str) -> tuple[str, str]:
    """(carrier, address to follow the parcel).

    What came from the shop or its seller wins, in the carrier's own spelling; what it left out is added where it is
    sure.
    """
    url = url if url.startswith(("https://", "http://")) else ""
    known, words = _by_name(named), _words(named)
    named = "" if words in _NOBODY or not words else known.name if known else named.strip()
    bare = plain(number)
    if not bare:
        return named, url
    if _LINK.fullmatch(bare):
        return named, url or bare
    name = named or recognise(bare)
    carrier = _BY_NAME.get(name)
    # No link for what is no number: nothing that somebody typed gets into an address.
    link = carrier.link.format(bare) if carrier and re.fullmatch(r"[0-9A-Z]{4,60}", bare) else ""
    return name, url or link


def _words(named: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", named.lower()))


def _by_name(named: str) -> Carrier | None:
    """By a name of its own, by the name of a service, or by its name with words of a service behind it."""
    words = _words(named)
    if house := _SERVICES.get(words):
        return _BY_NAME[house]
    found: Carrier | None = None
    longest = 0
    for carrier in CARRIERS:
        for alias in carrier.aliases:
            rest = words.removeprefix(alias)
            whole = rest == "" or (rest != words and rest.startswith(" ") and set(rest.split()) <= _OF_SERVICE)
            if whole and len(alias) > longest:
                found, longest = carrier, len(alias)
    return found
