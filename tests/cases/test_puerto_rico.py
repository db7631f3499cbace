"""A buyer in Puerto Rico chose "Puerto Rico", paid, and Shopify refused the order for ever: it knows the islands under
the US Post Office as states of the US only.

Reported of others as magento/magento2 35610, woocommerce-services 1129 and woocommerce 26412.
"""

import re
from dataclasses import asdict, replace
from importlib import import_module, resources
from typing import Any

import pytest
from babel import Locale

from crossdock.connectors.shopify import orders as shopify
from crossdock.connectors.vendure import mapper as vendure
from crossdock.connectors.woocommerce.mapper import address_of
from crossdock.domain import labels
from crossdock.domain.commands import Done
from crossdock.domain.places import COUNTRIES, REGIONS, US_TERRITORIES
from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.lookups import phone
from crossdock.domain.risk.signals import SIGNALS
from crossdock.domain.values import Address
from crossdock.kit.conformance.stage import staged
from crossdock.usecases.checkout.basket import Basket, priced, ships_to
from crossdock.web.storefront.address import AddressForm
from market import World

ISLANDS = (("PR", "San Juan", "00901"), ("GU", "Hagatna", "96910"), ("VI", "St Thomas", "00802"))


def there(code: str = "PR", city: str = "San Juan", postal: str = "00901", **more: str) -> Address:
    return Address("Ana Buyer", "1 Calle Luna", city, code, postal, phone="7875550100", **more)


@pytest.mark.parametrize(("code", "city", "postal"), ISLANDS)
async def test_shopify_takes_a_paid_order_to_an_island(code: str, city: str, postal: str) -> None:
    module = import_module("crossdock.connectors.shopify")
    async with staged(module.connector, import_module("crossdock.connectors.shopify.sandbox").Sandbox) as stage:
        (ref,) = await stage.product(50)
        order = replace(stage.order((ref, 1)), ship_to=there(code, city, postal))
        assert isinstance(await stage.connector.create(stage.shop, order), Done)


def test_one_place_is_one_address() -> None:
    assert there("PR") == there("US", region="PR")
    assert there("PR", region="San Juan").region == "PR"
    assert (there("GU").country, there("GU").region, there("GU").territory) == ("US", "GU", "GU")
    assert there("US", region="OR").territory == ""
    assert there("DE", region="PR").territory == ""
    kept = asdict(there("PR"))
    assert Address(**kept) == there("PR")


@pytest.mark.parametrize("code", sorted(US_TERRITORIES))
def test_each_platform_gets_what_it_takes(code: str) -> None:
    address: Any = there(code)
    at_shopify = shopify._address(address)
    assert (at_shopify["countryCode"], at_shopify["provinceCode"]) == ("US", code)
    at_woocommerce = address_of(address)
    assert (at_woocommerce["country"], at_woocommerce["state"]) == (code, "")


def test_an_address_at_home_is_as_ever() -> None:
    address = Address("Jo Doe", "1 Elm St", "Springfield", "US", "62701", region="IL")
    assert shopify._address(address)["provinceCode"] == "IL"
    assert address_of(address)["state"] == "IL"
    abroad = Address("Jo Doe", "1-1", "Tokyo", "JP", "1000001", region="Tokyo Prefecture")
    assert "provinceCode" not in shopify._address(abroad)


def test_vendure_has_them_as_countries() -> None:
    class Command:
        ship_to = there("PR")

    words = vendure.address(Command())  # type: ignore[arg-type]
    assert (words["countryCode"], "province" in words) == ("PR", False)


def test_only_countries_are_offered_and_shopify_has_each() -> None:
    schema = (resources.files("crossdock.connectors.shopify.sandbox") / "schema.graphql").read_text()
    found = re.search(r"enum CountryCode \{(.*?)\n\}", schema, re.S)
    assert found is not None
    theirs = set(re.findall(r"^\s+([A-Z]{2})\b", found[1], re.M))
    assert sorted(COUNTRIES - theirs) == []
    assert not COUNTRIES & {"IC", "EA", "QO", "CP", "CQ", "DG", "AC", "TA", "EU", "EZ", "UN", "XA", "ZZ", "AQ"}
    assert not COUNTRIES & US_TERRITORIES
    assert {"US", "DE", "GB", "XK", "IM", "JE", "GG", "AX", "BQ"} <= COUNTRIES
    assert set(Locale("en").territories) >= COUNTRIES
    assert len(COUNTRIES) == 241
    assert len(REGIONS["US"]) == 51 + 8 + 3


def form(**typed: str) -> AddressForm:
    given = {"name": "Ana", "line1": "1 Calle Luna", "city": "San Juan", "postal_code": "00901", **typed}
    return AddressForm(given, countries=frozenset({"US", "CA", "DE"}))


def test_the_buyer_finds_puerto_rico_and_it_becomes_the_us() -> None:
    asked = form(country="PR")
    assert ("PR", "Puerto Rico") in asked.fields["country"].choices  # type: ignore[attr-defined]
    assert asked.is_valid()
    assert (asked.cleaned_data["country"], asked.cleaned_data["region"]) == ("US", "PR")
    assert not form(country="GU", postal_code="abc").is_valid()
    elsewhere = AddressForm({}, countries=frozenset({"DE"}))
    assert [code for code, _ in elsewhere.fields["country"].choices] == ["DE"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("country", "region"), [("US", "ZZ"), ("US", "Oregon"), ("CA", "QQ"), ("US", "")])
def test_a_state_that_is_none_is_refused_before_anybody_pays(country: str, region: str) -> None:
    asked = form(country=country, region=region, postal_code="00901" if country == "US" else "K1A 0B1")
    assert not asked.is_valid()
    assert "short code" in str(asked.errors["region"])


def test_a_label_to_puerto_rico_is_domestic() -> None:
    home = Address("Ember Cards", "5 Market St", "Austin", "US", "78701", region="TX", phone="5125550100")
    wanted = labels.Wanted("r", home, there(), labels.Parcel(120, 180, 130, 20))
    assert labels.why_not_label(wanted, lifted=False, can=labels.Can(), carrier="USPS") == ""
    assert not wanted.abroad


@pytest.mark.parametrize(
    ("number", "country", "valid", "of"),
    [
        ("07911 123456", "GB", True, "GB"),
        ("07781 123456", "GB", True, "GB"),
        ("+44 1481 722222", "GB", True, "GB"),
        ("7875550100", "US", True, "US"),
        ("+1 787 555 0100", "US", True, "US"),
        ("+1 416 555 0100", "US", True, "US"),
        ("+44 7911 123456", "US", True, "GB"),
        ("+49 30 123456", "GB", True, "DE"),
        ("+7 701 555 0100", "RU", True, "RU"),
    ],
)
def test_a_number_is_of_the_country_whose_calling_code_it_has(number: str, country: str, valid: bool, of: str) -> None:
    assert phone(number, country) == (valid, of)


def answer(code: str, **facts: Any) -> int | None:
    return next(signal for signal in SIGNALS if signal.code == code).look(Facts(**facts))


def test_no_signal_calls_the_islands_abroad() -> None:
    fields = {"card_country": "card_country", "ip_country": "ip_country", "countries": "billing_country"}
    for code, field in fields.items():
        assert answer(code, **{field: "PR"}, ship_country="US") == 0
        assert answer(code, **{field: "DE"}, ship_country="US") == 1


def test_the_table_of_postal_codes_alone_says_nothing_against_anybody() -> None:
    assert answer("postal_state", postal_code_fits=False) is None
    assert answer("postal_state", postal_code_fits=False, postal_code_check="pass") is None
    assert answer("postal_state", postal_code_fits=False, postal_code_check="fail") == 1
    assert answer("postal_state", postal_code_fits=True) == 0


@pytest.mark.django_db
def test_what_the_shop_would_refuse_is_not_offered() -> None:
    """Vendure takes orders only to countries that are set up there."""
    world = World(units=3)
    basket: Basket = {"lines": {world.variant.public_id: 1}}
    assert (
        priced(basket=basket, country="PR", now=world.now).total
        == priced(basket=basket, country="US", now=world.now).total
    )
    world.shop.settings = {"countries": "DE,PR"}
    world.shop.save()
    assert ships_to(world.shop) == {"DE", "PR"}
    for country, taken in (("DE", True), ("PR", True), ("US", False), ("GB", False)):
        shown = priced(basket=basket, country=country, now=world.now)
        assert (shown.shipping is not None) == taken
        assert ("The seller does not ship to this country." in shown.problems) != taken
