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


def follow(number: str, *, named: str, url: str) -> tuple[str, str]:
    """(carrier, address to follow the parcel).

    What came from the shop or its seller wins; what it left out is added where it is sure.
    """
    plain = re.sub(r"[\s-]", "", number).upper()
    if not plain:
        return named, url
    known = _by_name(named)
    name = named if named.strip() else recognise(plain)
    carrier = known if named.strip() else _BY_NAME.get(name)
    # No link for what is no number: nothing that somebody typed gets into an address.
    link = carrier.link.format(plain) if carrier and re.fullmatch(r"[0-9A-Z]{4,60}", plain) else ""
    return name, url or link


def _by_name(named: str) -> Carrier | None:
    words = " ".join(re.findall(r"[a-z]+", named.lower()))
    return next((carrier for carrier in CARRIERS if words in carrier.aliases), None)
