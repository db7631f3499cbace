"""Our address in WooCommerce's words."""

from collections.abc import Mapping

from crossdock.domain.values import Address


def address_of(address: Address) -> Mapping[str, str]:
    """Puerto Rico and its like are countries there, and no states of US (i18n/countries.php, i18n/states.php)."""
    first, _, last = address.name.strip().rpartition(" ")
    return {
        "first_name": first or last,
        "last_name": last if first else "",
        "company": address.company,
        "address_1": address.line1,
        "address_2": address.line2,
        "city": address.city,
        "state": "" if address.territory else address.region,
        "postcode": address.postal_code,
        "country": address.territory or address.country,
    }
