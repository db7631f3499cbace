"""Carriers known by name or by the look of a number, and where a parcel can be followed. A number that fits nobody surely keeps the words it came with.

Numbers of the world's postal services follow UPU S10: two letters, eight digits, a check digit, the country's letters.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carrier:
    """`link` has a place for the number. `pattern` fits only numbers that no other carrier uses; `postal` is the S10 country."""

    name: str
    aliases: tuple[str, ...]
    link: str
    pattern: str = ""
    postal: str = ""


CARRIERS: tuple[Carrier, ...] = (
    Carrier("UPS", ("ups", "united parcel service"), "https://www.ups.com/track?tracknum={}", r"1Z[0-9A-Z]{16}"),
    Carrier("USPS", ("usps", "united states postal service"), "https://tools.usps.com/go/TrackConfirmAction?tLabels={}", r"9[2-5]\d{20}", "US"),
    Carrier("FedEx", ("fedex", "federal express"), "https://www.fedex.com/fedextrack/?trknbr={}"),
    Carrier("DHL Express", ("dhl express", "dhl"), "https://www.dhl.com/global-en/home/tracking.html?tracking-id={}"),
    Carrier("Deutsche Post DHL", ("deutsche post", "dhl paket", "dhl germany"), "https://www.dhl.de/en/privatkunden/pakete-empfangen/verfolgen.html?piececode={}", postal="DE"),
    Carrier("Royal Mail", ("royal mail",), "https://www.royalmail.com/track-your-item#/tracking-results/{}", postal="GB"),
    Carrier("Canada Post", ("canada post", "postes canada"), "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}", postal="CA"),
    Carrier("Australia Post", ("australia post", "auspost"), "https://auspost.com.au/mypost/track/#/details/{}", postal="AU"),
    Carrier("Japan Post", ("japan post",), "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={}&locale=en", postal="JP"),
    Carrier("La Poste", ("la poste", "colissimo"), "https://www.laposte.fr/outils/suivre-vos-envois?code={}", postal="FR"),
)  # fmt: skip
_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def follow(number: str, *, named: str, url: str) -> tuple[str, str]:
    """(carrier, address to follow the parcel). What came from the shop wins; what it left out is added where it is sure."""
    plain = re.sub(r"[\s-]", "", number).upper()
    carrier = _by_name(named) if named.strip() else _by_number(plain)
    if carrier is None or not plain:
        return named, url
    # No link for what is no number: nothing that somebody typed gets into an address.
    link = carrier.link.format(plain) if re.fullmatch(r"[0-9A-Z]{4,60}", plain) else ""
    return named or carrier.name, url or link


def _by_name(named: str) -> Carrier | None:
    words = " ".join(re.findall(r"[a-z]+", named.lower()))
    return next((carrier for carrier in CARRIERS if words in carrier.aliases), None)


def _by_number(plain: str) -> Carrier | None:
    country = _postal_country(plain)
    return next(
        (
            carrier
            for carrier in CARRIERS
            if (country and carrier.postal == country) or (carrier.pattern and re.fullmatch(carrier.pattern, plain))
        ),
        None,
    )


def _postal_country(plain: str) -> str:
    """The country of an S10 number whose check digit is right; empty otherwise."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{9}[A-Z]{2}", plain):
        return ""
    rest = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, plain[2:10], strict=True)) % 11
    check = {0: 5, 1: 0}.get(rest, 11 - rest)
    return plain[-2:] if check == int(plain[10]) else ""
