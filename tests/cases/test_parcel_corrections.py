"""What sellers do to a parcel afterwards: another carrier for the same number, an address typed as number, a second
number; and what they do on both sides of it.

Reported as woocommerce/woocommerce 60759 (same number, other provider: the link has to follow),
nozzlegear/ShopifySharp 846 and 1050 (several numbers on one fulfilment), Shopify/shopify-api-ruby 1134 ("Other" is the
company for everything else).
"""

from itertools import permutations

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import OrderLine, Parcel
from crossdock.domain.orders import ParcelState
from crossdock.domain.shipping import follow
from crossdock.store.models import Shipment
from crossdock.usecases.errors import Invalid
from crossdock.usecases.orders.actions import change_tracking, ship_by_hand
from parcelling import Parcelling

pytestmark = pytest.mark.django_db

UPS, UPS2 = "1Z999AA10123456784", "1Z999AA10123456775"
UPS_PAGE = f"https://www.ups.com/track?tracknum={UPS}"
DPD, DPD_PAGE = "15501234567890", "https://track.dpd.co.uk/parcels/15501234567890"
ADDRESS = (
    "https://www.dhl.com/global-en/home/tracking/tracking-parcel.html?submit=1&tracking-id=JD014600003RU0000000"
    "&utm_source=mail&utm_medium=email"
)


def f1(number: str, carrier: str = "", url: str = "", units: int = 1) -> Parcel:
    return Parcel("f1", (("L1", units),), number, carrier, url)


def by_hand(desk: Parcelling, units: int, number: str, carrier: str = "") -> Shipment:
    line = desk.order.lines.get()
    return ship_by_hand(
        order=desk.order,
        lines={line.pk: units},
        tracking=number,
        carrier=carrier,
        actor=desk.world.seller.owner,
        now=desk.world.later(),
    )


# One number, told twice


def test_a_carrier_added_afterwards_is_news() -> None:
    desk = Parcelling()
    desk.take(f1(DPD))
    desk.take(f1(DPD, "DPD UK", DPD_PAGE))
    parcel = desk.order.shipments.get()
    assert (parcel.carrier, parcel.tracking_url) == ("DPD UK", DPD_PAGE)
    assert desk.told() == [f"Shipped: {DPD}.", f"Tracking: DPD UK {DPD}."]
    assert len(desk.mails()) == 2
    assert DPD_PAGE in desk.mails()[1]
    desk.take(f1(DPD, "DPD UK", DPD_PAGE))
    assert (len(desk.told()), len(desk.mails())) == (2, 2), "told once"


def test_the_link_follows_another_carrier() -> None:
    desk = Parcelling()
    desk.take(f1(DPD, "DPD UK", DPD_PAGE))
    desk.take(f1(DPD, "Evri"))
    parcel = desk.order.shipments.get()
    assert (parcel.carrier, parcel.tracking_url) == ("Evri", "")


def test_the_spelling_of_a_carrier_is_no_news() -> None:
    desk = Parcelling()
    for carrier in ("ups", "UPS", "UPS Ground", "United Parcel Service", "Ups®"):
        desk.take(f1(UPS, carrier))
    parcel = desk.order.shipments.get()
    assert (parcel.carrier, parcel.tracking_url) == ("UPS", UPS_PAGE)
    assert (len(desk.told()), len(desk.mails())) == (1, 1)


@pytest.mark.parametrize("number", [ADDRESS, "JD" + "0" * 118 + "1", "9" * 499, "ab" * 4000, "Ü" * 600])
def test_a_number_of_any_length_is_compared_whole(number: str) -> None:
    desk = Parcelling()
    for _ in range(5):
        desk.take(f1(number, "DHL"))
    assert (len(desk.told()), len(desk.mails())) == (1, 1)
    desk.take(f1(number + "7", "DHL"))
    assert len(desk.order.shipments.get().there["f1"]["number"]) <= 500
    assert desk.order.shipments.get().there["f1"]["number"] != number


def test_an_address_typed_as_number_is_the_link() -> None:
    assert follow(ADDRESS, named="", url="") == ("", ADDRESS)
    assert follow(ADDRESS, named="DHL", url="https://x.test/1") == ("DHL Express", "https://x.test/1")
    assert follow("javascript:alert(1)//12345678", named="", url="")[1] == ""


def test_a_number_that_is_taken_back_is_told_in_words() -> None:
    desk = Parcelling()
    desk.take(f1(UPS))
    desk.take(f1(""))
    assert desk.told()[-1] == f"The tracking number {UPS} was taken back."
    assert len(desk.mails()) == 1
    assert AlertCode.TRACKING_MISSING in desk.alerts()


# Names that are no carrier's


@pytest.mark.parametrize("named", ["Other", "other", "OTHER ", "Custom", "n/a", "None", "-", ""])
def test_no_carrier_s_name_leaves_the_number_to_say(named: str) -> None:
    assert follow(UPS, named=named, url="") == ("UPS", UPS_PAGE)
    assert follow("hello-42", named=named, url="") == ("", "")


@pytest.mark.parametrize(
    ("named", "house"),
    [
        ("UPS Ground", "UPS"),
        ("UPS 2nd Day Air", "UPS"),
        ("ups® surepost", "UPS"),
        ("usps", "USPS"),
        ("USPS Priority Mail Express", "USPS"),
        ("Ground Advantage", "USPS"),
        ("FedEx Home Delivery", "FedEx"),
        ("FedEx 2Day", "FedEx"),
        ("royal-mail", "Royal Mail"),
        ("Royal Mail Tracked 48", "Royal Mail"),
        ("DHL Express Worldwide", "DHL Express"),
        ("DHL eCommerce", "DHL eCommerce"),
        ("DHL Paket", "Deutsche Post DHL"),
        # Houses of their own, or of whom we know no page: as they were written.
        ("DPD UK", "DPD UK"),
        ("UPS Store of Bob", "UPS Store of Bob"),
        ("FedEx Poland", "FedEx Poland"),
        ("My bike", "My bike"),
    ],
)
def test_a_service_is_its_house_s(named: str, house: str) -> None:
    assert follow("1234567890", named=named, url="")[0] == house


# Two numbers


def test_two_numbers_of_one_fulfilment_are_shown_and_mailed() -> None:
    desk = Parcelling()
    desk.take(f1(UPS, "UPS"), Parcel("f1/2", (("L1", 0),), UPS2, "UPS"))
    assert desk.parcels() == [(UPS, "UPS", 1), (UPS2, "UPS", 0)]
    (mail,) = desk.mails()
    assert mail.split("\n")[0] == f"{desk.world.seller.name} shipped 1 × Ember Fox."
    assert UPS in mail
    assert UPS2 in mail
    assert desk.told() == [f"Shipped: UPS {UPS}.", f"One more tracking number: UPS {UPS2}."]


def test_a_second_number_that_comes_later_is_mailed() -> None:
    desk = Parcelling()
    desk.take(f1(UPS))
    desk.take(f1(UPS), Parcel("f1/2", (("L1", 0),), UPS2))
    assert len(desk.mails()) == 2
    assert desk.mails()[1].split("\n")[0] == "One more tracking number of your order."
    assert UPS2 in desk.mails()[1]
    assert not [mail for mail in desk.mails() if "shipped ." in mail]


def test_two_numbers_in_one_field_are_two() -> None:
    desk = Parcelling()
    desk.take(f1(f"{UPS}, {UPS2}", "UPS"))
    assert desk.parcels() == [(UPS, "UPS", 1), (UPS2, "UPS", 0)]
    assert len(desk.mails()) == 1
    desk.take(f1(f"{UPS}, {UPS2}", "UPS"))
    assert len(desk.told()) == 2
    assert desk.alerts() == []


def test_a_parcel_without_units_and_number_mails_nobody() -> None:
    desk = Parcelling()
    desk.take(f1(UPS), Parcel("f2", (("L1", 0),)), Parcel("f3", (("L9", 1),)))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert len(desk.mails()) == 1
    assert AlertCode.TRACKING_MISSING not in desk.alerts()


# One parcel, on both sides


def test_shipped_by_hand_and_then_in_the_shop_is_one_parcel() -> None:
    desk = Parcelling(units=2)
    desk.take()
    by_hand(desk, 1, UPS)
    desk.take(f1("1z 999 aa1 01 2345 6784", "ups"))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert desk.shipped() == [1]
    assert (len(desk.mails()), len(desk.told())) == (1, 1)
    assert desk.order.parcels == ParcelState.PARTLY_SHIPPED


def test_shipped_by_hand_without_a_number_gets_the_shop_s() -> None:
    desk = Parcelling()
    desk.take()
    by_hand(desk, 1, "")
    assert AlertCode.TRACKING_MISSING in desk.alerts()
    desk.take(f1(UPS))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert desk.told()[-1] == f"Tracking number: {UPS}."
    assert AlertCode.TRACKING_MISSING not in desk.alerts()


def test_a_shop_that_names_no_number_takes_none_away() -> None:
    desk = Parcelling()
    desk.take()
    by_hand(desk, 1, UPS)
    desk.take(Parcel("t1", ()))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert len(desk.mails()) == 1
    desk.take()
    assert desk.parcels() == [(UPS, "UPS", 1)], "and opening it there again undoes nothing that left from here"


def test_the_shop_first_and_then_by_hand_is_refused() -> None:
    desk = Parcelling()
    desk.take(f1(UPS))
    with pytest.raises(Invalid, match=r"More units were chosen than are left to ship\."):
        by_hand(desk, 1, UPS)
    assert desk.parcels() == [(UPS, "UPS", 1)]


def test_one_number_on_two_fulfilments_with_units_of_their_own_ships_both() -> None:
    desk = Parcelling(units=2)
    desk.take(f1(UPS), Parcel("f2", (("L1", 1),), UPS))
    assert desk.shipped() == [2]
    assert desk.order.parcels == ParcelState.SHIPPED


def test_the_same_parcel_told_by_two_of_the_shop_s_records_is_one() -> None:
    desk = Parcelling()
    desk.take(f1(UPS, "ups"))
    desk.take(f1(UPS, "ups"), Parcel("t1", (), UPS, "UPS"))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert (len(desk.mails()), len(desk.told())) == (1, 1)
    desk.take(Parcel("t1", (), UPS, "UPS"))
    assert desk.parcels() == [(UPS, "UPS", 1)], "the other record still says so"
    desk.take()
    assert desk.parcels() == []
    assert desk.told()[-1] == "The shop took a shipment back."


def test_a_record_that_is_written_anew_is_the_same_parcel() -> None:
    """A plugin's entry gets its units named: another id, the same parcel."""
    desk = Parcelling()
    desk.take(Parcel("t1", (), UPS))
    desk.take(Parcel("t-77", (("L1", 1),), UPS))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert (len(desk.mails()), len(desk.told())) == (1, 1)


def test_what_was_only_completed_gets_its_number_later() -> None:
    desk = Parcelling()
    desk.take(Parcel("rest", (("L1", 1),)))
    desk.take(Parcel("f9", (("L1", 1),), UPS))
    assert desk.parcels() == [(UPS, "UPS", 1)]
    assert desk.told() == ["Shipped: no tracking number.", f"Tracking number: {UPS}."]
    assert desk.order.parcels == ParcelState.SHIPPED


def test_a_parcel_taken_back_comes_again() -> None:
    desk = Parcelling()
    desk.take(f1(UPS))
    desk.take()
    assert desk.shipped() == [0]
    desk.take(f1(UPS))
    assert desk.shipped() == [1]
    assert desk.parcels() == [(UPS, "UPS", 1)]


def test_a_number_changed_here_and_then_there_is_told_once() -> None:
    desk = Parcelling()
    desk.take(f1(UPS))
    shipment = desk.order.shipments.get()
    change_tracking(shipment=shipment, tracking=UPS2, carrier="", actor=desk.world.seller.owner, now=desk.world.later())
    desk.take(f1(UPS))
    assert desk.parcels() == [(UPS2, "UPS", 1)], "nothing is new there"
    desk.take(f1(UPS2))
    assert desk.parcels() == [(UPS2, "UPS", 1)]
    assert (len(desk.mails()), len(desk.told())) == (2, 2)


# Units


def test_units_corrected_in_the_shop_are_corrected_here() -> None:
    desk = Parcelling(units=3)
    desk.take(f1(UPS, units=1))
    desk.take(f1(UPS, units=3))
    assert desk.shipped() == [3]
    assert desk.parcels() == [(UPS, "UPS", 3)]
    assert desk.order.parcels == ParcelState.SHIPPED
    assert desk.told()[-1] == f"The parcel {UPS} holds 3 × Ember Fox now."
    desk.take(f1(UPS, units=2))
    assert desk.shipped() == [2]
    assert desk.order.parcels == ParcelState.PARTLY_SHIPPED
    assert len(desk.mails()) == 1


def test_two_rows_of_one_line_are_summed_in_any_order() -> None:
    rows = (OrderLine("L1", "p1", "v1", "FOX-1", 1), OrderLine("L2", "p1", "v1", "FOX-1", 2))
    parcels = (
        Parcel("f1", (("L1", 1), ("L2", 1)), UPS),
        Parcel("f2", (("L2", 1),), UPS2),
    )
    for order in permutations(parcels):
        desk = Parcelling(units=3, rows=rows)
        desk.take()
        desk.take(order[0])
        desk.take(*order)
        assert desk.shipped() == [3]
        assert desk.order.parcels == ParcelState.SHIPPED
        assert sorted(desk.parcels()) == sorted([(UPS, "UPS", 2), (UPS2, "UPS", 1)])
        assert desk.alerts() == []
        assert sum(parcel[2] for parcel in desk.parcels()) == sum(desk.shipped())


def test_more_than_was_ordered_never_ships() -> None:
    desk = Parcelling(units=2)
    desk.take(f1(UPS, units=2), Parcel("f2", (("L1", 2),), UPS2))
    assert desk.shipped() == [2]
    assert desk.parcels() == [(UPS, "UPS", 2), (UPS2, "UPS", 0)]
    assert not [mail for mail in desk.mails() if "shipped ." in mail]
