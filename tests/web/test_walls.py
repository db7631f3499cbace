"""Nobody sees what is not theirs: every address of the panel as its owner, the wrong seller, a buyer and nobody. The
API's are in test_api.py.

The URL table is walked, so an address without an entry here fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done
from crossdock.domain.daily.bulk import BulkKind, ForAll
from crossdock.domain.daily.filters import OrderFilter
from crossdock.domain.earnings.payouts import Destination
from crossdock.domain.moderation.takedowns import Ground
from crossdock.domain.requests.returns import ReturnReason
from crossdock.domain.risk import SHIPPED
from crossdock.domain.values import Money
from crossdock.store.models import (
    Alert,
    CommissionRule,
    Duplicate,
    FillRule,
    LostDispute,
    Order,
    Quarantined,
    Rating,
    Seller,
    SellerApproval,
    User,
)
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.accounts import tokens
from crossdock.usecases.accounts.details import save_document
from crossdock.usecases.accounts.inviting import invite
from crossdock.usecases.catalogue.finding import Wanted
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.catalogue.moderation.deciding import take_down
from crossdock.usecases.catalogue.offers import make_offer
from crossdock.usecases.catalogue.saved import save_search
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.money.payouts import set_account
from crossdock.usecases.orders import actions
from crossdock.usecases.orders.daily import bulk
from crossdock.usecases.orders.daily.views import keep_view
from crossdock.usecases.outcomes import endpoints
from crossdock.usecases.parties import quarantine
from crossdock.usecases.privacy.erasing import ask_erasure
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.requests.cancel import ask_to_cancel
from crossdock.usecases.requests.returns import ask_return
from crossdock.usecases.risk.rules import keep_fitted
from crossdock.usecases.shops import connect
from crossdock.usecases.support.cases import open_case
from labelling import Counter
from market import World, user
from market import seller as a_seller
from toyshop import dropped_in

pytestmark = pytest.mark.django_db

SIGN_IN = "/accounts/login/"


@dataclass
class House:
    """One seller with one of everything, and three who have no business with it."""

    world: World
    urls: dict[str, str] = field(default_factory=dict)
    owner: User = field(init=False)
    wrong: Seller = field(init=False)
    buyer: User = field(init=False)
    bought: User = field(init=False)

    def __post_init__(self) -> None:
        self.owner, self.wrong, self.buyer = self.world.seller.owner, a_seller(), user()


@pytest.fixture
def house() -> Iterator[House]:
    with dropped_in():
        yield _furnished()


def _furnished() -> House:
    world = World(units=9, now=datetime.now(UTC))
    house = House(world)
    order = world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, Done("s1", shop_number="#s1", stock_taken=True))
    parcel = actions.ship_by_hand(
        order=order, lines=None, tracking="T1", carrier="UPS", actor=house.owner, now=world.later()
    )
    (line,) = order.lines.all()
    back = ask_return(
        order=order,
        units={line.pk: 1},
        reason=ReturnReason.DAMAGED,
        words="",
        pictures=[b"its scratch"],
        now=world.later(),
    )
    rating = Rating.objects.create(order=order, seller=world.seller, stars=2, words="Slow.", at=world.now)
    waiting = world.buy()
    alert = raise_alert(code=AlertCode.STOCK_DIFFERS, seller=world.seller, order=order, sentence="?", now=world.now)
    ours = raise_alert(code=AlertCode.COMMAND_DEAD, seller=world.seller, order=order, sentence="?", now=world.now)
    Alert.objects.filter(pk=ours.pk).update(for_staff=True)
    receiver, _ = endpoints.add_endpoint(
        seller=world.seller, actor=house.owner, url="https://receiver.test/in", name="", events=[], now=world.now
    )
    endpoints.send_test(endpoint=receiver, actor=house.owner, now=world.now)
    message = endpoints.deliveries_of(endpoint=receiver, before=None, limit=1)[0]
    own = make_listing(seller=world.seller, title="Own", description="", price=order.total, count=1, now=world.now)
    offer = make_offer(
        buyer=house.buyer,
        variant=own.variants.get(),
        quantity=1,
        amount=Money(500, "USD"),
        manifest=None,
        now=world.now,
    )
    attempt, _ = connect.start_attempt(
        seller=world.seller,
        user=house.owner,
        platform="toy",
        way="form",
        address="http://127.0.0.1:1",
        form={},
        now=world.now,
    )
    proof = {
        "shop_id": "x",
        "name": "X",
        "currency": "USD",
        "checks": [{"ok": True, "title": "t", "sentence": ""}],
        "settings": {},
        "locations": [],
    }
    connect.prove_attempt(attempt=attempt, secrets={"key": "k"}, proof=proof, preview=[], now=world.now)
    token, _ = tokens.make_token(name="t", seller=world.seller, actor=house.owner, now=world.now)
    dead = world.claim()[0]
    from crossdock.store.models import Command

    Command.objects.filter(pk=dead.id).update(state="dead")
    rules = keep_fitted(rules=SHIPPED, lines=[], beats=True, now=world.now)
    listing = world.variant.listing
    credit = staff_credit(
        order=order, amount=Money(100, "USD"), reason="?", actor=user(is_staff=True), key="k", now=world.now
    )
    case = open_case(
        seller=world.seller, opened_by=house.owner, kind="problem", subject="?", body="?", order=order, now=world.now
    )
    label = Counter(world).quoted(waiting)
    tripped = quarantine.Trip(QuarantineKind.ORDER, "s9", "It has no total.")
    quarantine.hold(party_id=world.shop.party_id, trips=[tripped], now=world.now)
    odd = Quarantined.objects.get()
    asked = world.buy()
    ask_to_cancel(order=asked, buyer=asked.buyer, reason="", now=world.now)
    run = ask_erasure(person=house.wrong.owner, actor=house.wrong.owner, now=world.now)
    set_account(
        seller=world.seller,
        currency="EUR",
        provider="sandbox",
        to=Destination("ba_1", "DE ···· 3000"),
        actor=house.owner,
        place="",
        now=world.now,
    )
    SellerApproval.objects.create(seller=world.seller, stage="approved", began_at=world.now, facts_at=world.now)
    save_document(seller=world.seller, jpeg=b"A card.", actor=world.seller.owner, now=world.now)
    from crossdock.kit.discover import connector

    way = connector("toy").manifest.ways[0].name
    house.urls = {
        "currency": "EUR",
        "alert": alert.public_id,
        "case": case.public_id,
        "shop": world.shop.public_id,
        "attempt": attempt.public_id,
        "platform": "toy",
        "way": way,
        "listing": listing.public_id,
        "own": own.public_id,
        "down": _taken_down(world),
        "variant": world.variant.public_id,
        "order": order.public_id,
        "rules": str(rules.pk),
        "search": _searched(house.buyer, world),
        "fill_rule": str(FillRule.objects.create(seller=world.seller, source="tag", attribute="set").pk),
        "duplicate": str(Duplicate.objects.create(seller=world.seller, kind="sku", key="FOX-1", found_at=world.now).pk),
        "offer": offer.public_id,
        "waiting": waiting.public_id,
        "asked": asked.public_id,
        "label": label.public_id,
        "parcel": str(parcel.pk),
        "return": back.public_id,
        "rating": rating.public_id,
        "returned": back.pictures.get().name,
        "token": str(token.pk),
        "member": str(user(works_for=world.seller, works_as="orders").pk),
        "invitation": invite(
            seller=world.seller, email="sam@example.test", roles="reader", actor=house.owner, now=world.now
        ).public_id,
        "command": str(dead.id),
        "webhook": receiver.public_id,
        "message": str(message.pk),
        "seller": world.seller.public_id,
        "view": _tab_of(world),
        "bulk": _run_of(world, waiting),
        "prices": _run_of(world, waiting, BulkKind.PRICE),
        "staff_alert": ours.public_id,
        "credit": credit.public_id,
        "dispute": _lost(order).public_id,
        "commission": _charged(world),
        "quarantined": str(odd.pk),
        "intent": order.intent.public_id,
        "slug": world.seller.slug,
        "person": str(order.buyer.pk),
        "email": order.buyer.email,
        "run": run.public_id,
    }
    house.bought = order.buyer
    return house


def _lost(order: Order) -> LostDispute:
    return LostDispute.objects.create(
        cause="disputed:d", order=order, amount_minor=100, currency=order.currency, lost_at=order.placed_at
    )


def _run_of(world: World, order: Order, kind: BulkKind = BulkKind.TAG) -> str:
    """Over one order."""
    run = bulk.begin(
        seller=world.seller,
        kind=kind,
        judged=[bulk.Judged(order, "")],
        given=ForAll(tag="gift"),
        each={},
        key=kind,
        actor=world.seller.owner,
        now=world.now,
    )
    return str(run.public_id)


def _tab_of(world: World) -> str:
    wanted = OrderFilter(country="DE")
    return keep_view(
        seller=world.seller, actor=world.seller.owner, name="Germany", wanted=wanted, now=world.now
    ).public_id


def _taken_down(world: World) -> str:
    made = make_listing(
        seller=world.seller, title="Down", description="", price=Money(500, "USD"), count=1, now=world.now
    )
    staff = user(is_staff=True)
    take_down(listing=made, ground=Ground.FAKE, words="?", until_changed=False, actor=staff, now=world.now)
    return made.public_id


def _charged(world: World) -> str:
    return CommissionRule.objects.create(
        basis_points=500, since=world.now, made_at=world.now, why="?", category="cards"
    ).public_id


def _searched(buyer: User, world: World) -> str:
    made = save_search(buyer=buyer, name="Owls", address="/?q=owl", wanted=Wanted("owl"), mail=True, now=world.now)
    return made.public_id


# name -> (path, method, what its owner gets). POST deeds redirect back to a page of the panel.
PANEL: dict[str, tuple[str, str, int]] = {
    "seller_home": ("/seller/", "get", 200),
    "seller_alerts": ("/seller/alerts/", "get", 200),
    "seller_alert_mail": ("/seller/alerts/mail/", "get", 200),
    "seller_alerts_settle": ("/seller/alerts/settle/", "post", 302),
    "seller_alert": ("/seller/alerts/{alert}/", "get", 200),
    "seller_alert_settle": ("/seller/alerts/{alert}/settle/", "post", 302),
    "seller_cases": ("/seller/cases/", "get", 200),
    "seller_case_new": ("/seller/cases/new/?order={order}", "get", 200),
    "seller_case": ("/seller/cases/{case}/", "get", 200),
    "seller_case_answer": ("/seller/cases/{case}/answer/", "post", 400),
    "seller_connect": ("/seller/connect/", "get", 200),
    "seller_connect_return": ("/seller/connect/return/", "get", 302),
    "seller_attempt": ("/seller/connect/attempt/{attempt}/", "get", 200),
    "seller_attempt_test": ("/seller/connect/attempt/{attempt}/test/", "post", 302),
    "seller_connect_platform": ("/seller/connect/{platform}/", "get", 200),
    "seller_connect_contract": ("/seller/connect/open_door/contract.json", "get", 200),
    "seller_connect_way": ("/seller/connect/{platform}/{way}/?shop={shop}", "get", 200),
    "seller_shops": ("/seller/shops/", "get", 200),
    "seller_shop": ("/seller/shops/{shop}/", "get", 200),
    "seller_shop_first": ("/seller/shops/{shop}/first/", "get", 200),
    "seller_shop_try": ("/seller/shops/{shop}/try/", "get", 200),
    "seller_prices": ("/seller/prices/", "get", 200),
    "seller_prices_decide": ("/seller/prices/decide/", "post", 302),
    "seller_price_limit": ("/seller/shops/{shop}/price-limit/", "post", 302),
    "seller_choice": ("/seller/shops/{shop}/choice/", "get", 200),
    "seller_choice_decide": ("/seller/shops/{shop}/choice/decide/", "post", 302),
    "seller_price_rule": ("/seller/shops/{shop}/price-rule/", "get", 200),
    "seller_price_rule_decide": ("/seller/shops/{shop}/price-rule/decide/", "post", 302),
    "seller_evening": ("/seller/shops/{shop}/evening/", "get", 200),
    "seller_shadow": ("/seller/shops/{shop}/shadow/", "get", 302),
    "seller_shadow_begin": ("/seller/shops/{shop}/shadow/begin/", "post", 302),
    "seller_go_live": ("/seller/shops/{shop}/live/", "post", 302),
    "seller_shop_settings": ("/seller/shops/{shop}/settings/", "post", 422),
    "seller_shop_test": ("/seller/shops/{shop}/test/", "post", 302),
    "seller_shop_money": ("/seller/shops/{shop}/money/", "post", 302),
    "seller_shop_read": ("/seller/shops/{shop}/read/", "post", 302),
    "seller_shop_pause": ("/seller/shops/{shop}/pause/", "post", 302),
    "seller_shop_resume": ("/seller/shops/{shop}/resume/", "post", 302),
    "seller_reconnect": ("/seller/shops/{shop}/reconnect/", "get", 302),
    "seller_shop_disconnect": ("/seller/shops/{shop}/disconnect/", "get", 200),
    "seller_resend": ("/seller/commands/{command}/resend/", "post", 302),
    "seller_recounts": ("/seller/shops/{shop}/stock/", "get", 200),
    "seller_recount_start": ("/seller/shops/{shop}/stock/compare/", "post", 302),
    "seller_recount_decide": ("/seller/shops/{shop}/stock/decide/", "post", 302),
    "seller_duplicates": ("/seller/listings/duplicates/", "get", 200),
    "seller_duplicate": ("/seller/listings/duplicates/{duplicate}/", "post", 302),
    "seller_attributes": ("/seller/listings/attributes/", "get", 200),
    "seller_attribute_remove": ("/seller/listings/attributes/{fill_rule}/remove/", "post", 302),
    "seller_limits": ("/seller/listings/limits/", "get", 200),
    "seller_recorder": ("/seller/listings/{listing}/stock/{variant}/", "get", 200),
    "seller_recorder_csv": ("/seller/listings/{listing}/stock/{variant}/export.csv", "get", 200),
    "seller_listings": ("/seller/listings/", "get", 200),
    "seller_listing_new": ("/seller/listings/new/", "get", 200),
    "seller_listing": ("/seller/listings/{listing}/", "get", 200),
    "seller_listing_edit": ("/seller/listings/{own}/edit/", "get", 200),
    "seller_listing_appeal": ("/seller/listings/{down}/appeal/", "get", 200),
    "seller_listing_attributes": ("/seller/listings/{listing}/attributes/", "get", 200),
    "seller_listing_state": ("/seller/listings/{own}/state/", "post", 302),
    "seller_listing_count": ("/seller/listings/{listing}/count/{variant}/", "post", 302),
    "seller_listing_correct": ("/seller/listings/{listing}/correct/{variant}/", "post", 302),
    "seller_offer_terms": ("/seller/listings/{own}/offers/", "get", 200),
    "seller_offers": ("/seller/offers/", "get", 200),
    "seller_offers_bulk": ("/seller/offers/terms/", "get", 200),
    "seller_offer": ("/seller/offers/{offer}/", "get", 200),
    "seller_offer_answer": ("/seller/offers/{offer}/answer/", "post", 302),
    "seller_orders": ("/seller/orders/", "get", 200),
    "seller_view_keep": ("/seller/orders/tabs/keep/", "post", 302),
    "seller_view_forget": ("/seller/orders/tabs/{view}/remove/", "post", 302),
    "seller_bulk": ("/seller/orders/bulk/?deed=ship&pick={waiting}", "get", 200),
    "seller_runs": ("/seller/orders/runs/", "get", 200),
    "seller_run": ("/seller/orders/runs/{bulk}/", "get", 200),
    "seller_run_stop": ("/seller/orders/runs/{bulk}/stop/", "post", 302),
    "seller_run_buy": ("/seller/orders/runs/{prices}/buy/", "post", 302),
    "seller_run_again": ("/seller/orders/runs/{bulk}/again/", "post", 302),
    "seller_orders_csv": ("/seller/orders/export.csv", "get", 200),
    "seller_order": ("/seller/orders/{order}/", "get", 200),
    "seller_order_slip": ("/seller/orders/{order}/slip/", "get", 200),
    "seller_note_write": ("/seller/orders/{order}/notes/", "post", 422),
    "seller_note_remove": ("/seller/orders/{order}/notes/1/remove/", "post", 302),
    "seller_order_tag": ("/seller/orders/{order}/tags/", "post", 302),
    "seller_order_untag": ("/seller/orders/{order}/tags/1/remove/", "post", 302),
    "seller_order_ship": ("/seller/orders/{waiting}/ship/", "get", 200),
    "seller_parcel": ("/seller/orders/{order}/parcels/{parcel}/", "get", 200),
    "seller_parcel_undo": ("/seller/orders/{order}/parcels/{parcel}/undo/", "get", 200),
    "seller_parcel_send": ("/seller/orders/{order}/parcels/{parcel}/send/", "post", 302),
    "seller_order_create": ("/seller/orders/{waiting}/create/", "post", 302),
    "seller_order_reject": ("/seller/orders/{waiting}/reject/", "get", 200),
    "seller_order_decline": ("/seller/orders/{asked}/decline/", "get", 200),
    "seller_order_messages": ("/seller/orders/{order}/messages/", "get", 200),
    "seller_order_report": ("/seller/orders/{order}/messages/report/", "post", 302),
    "seller_order_parts": ("/seller/orders/{waiting}/reject/lines/", "get", 302),
    "seller_order_credit": ("/seller/orders/{order}/credit/", "get", 200),
    "seller_paste": ("/seller/orders/paste/", "get", 200),
    "seller_slips": ("/seller/orders/print/slips/?pick={order}", "get", 200),
    "seller_pull_sheet": ("/seller/orders/print/sheet/?pick={order}", "get", 200),
    "seller_label_new": ("/seller/orders/{waiting}/label/", "get", 200),
    "seller_labels": ("/seller/labels/", "get", 200),
    "seller_labels_csv": ("/seller/labels/export.csv", "get", 200),
    "seller_label": ("/seller/labels/{label}/", "get", 200),
    "seller_label_buy": ("/seller/labels/{label}/buy/", "post", 302),
    "seller_label_void": ("/seller/labels/{label}/void/", "post", 302),
    "seller_label_print": ("/seller/labels/{label}/print.pdf", "get", 302),
    "seller_returns": ("/seller/returns/", "get", 200),
    "seller_return": ("/seller/returns/{return}/", "get", 200),
    "seller_return_answer": ("/seller/returns/{return}/answer/", "post", 422),
    "seller_return_picture": ("/seller/returns/{return}/pictures/{returned}/", "get", 200),
    "seller_return_receipt": ("/seller/returns/{return}/receipt/", "get", 200),
    "seller_before": ("/seller/before-you-sell/", "get", 200),
    "seller_before_details": ("/seller/before-you-sell/details/", "get", 200),
    "seller_before_document": ("/seller/before-you-sell/document/", "get", 200),
    "seller_before_contact": ("/seller/before-you-sell/eu-contact/", "get", 200),
    "seller_before_terms": ("/seller/before-you-sell/terms/", "post", 302),
    "seller_before_ask": ("/seller/before-you-sell/ask/", "post", 302),
    "seller_quotas": ("/seller/profile/limits/", "get", 200),
    "seller_quality": ("/seller/quality/", "get", 200),
    "seller_ratings": ("/seller/ratings/", "get", 200),
    "seller_rating": ("/seller/ratings/{rating}/", "post", 302),
    "seller_money": ("/seller/money/", "get", 200),
    "seller_statement": ("/seller/money/statement/", "get", 200),
    "seller_statement_csv": ("/seller/money/statement/statement.csv", "get", 200),
    "seller_statement_pdf": ("/seller/money/statement/statement.pdf", "get", 200),
    "seller_payouts": ("/seller/money/payouts/", "get", 200),
    "seller_payout_account": ("/seller/money/payouts/USD/account/", "get", 200),
    "seller_payout_schedule": ("/seller/money/payouts/{currency}/schedule/", "get", 200),
    "seller_payout_now": ("/seller/money/payouts/{currency}/now/", "post", 302),
    "seller_ship_from": ("/seller/profile/ship-from/?order={waiting}", "get", 200),
    "seller_profile": ("/seller/profile/", "get", 200),
    "seller_away": ("/seller/profile/holidays/", "get", 200),
    "seller_away_back": ("/seller/profile/holidays/back/", "post", 302),
    "seller_working_days": ("/seller/profile/working-days/", "get", 200),
    "seller_shipping": ("/seller/profile/shipping/", "get", 200),
    "seller_webhooks": ("/seller/webhooks/", "get", 200),
    "seller_webhook": ("/seller/webhooks/{webhook}/", "get", 200),
    "seller_webhook_rotate": ("/seller/webhooks/{webhook}/rotate/", "post", 200),
    "seller_webhook_deed": ("/seller/webhooks/{webhook}/deed/", "post", 302),
    "seller_webhook_delete": ("/seller/webhooks/{webhook}/delete/", "get", 200),
    "seller_webhook_again": ("/seller/webhooks/{webhook}/messages/{message}/", "post", 302),
    "seller_team": ("/seller/team/", "get", 200),
    "seller_team_leave": ("/seller/team/leave/", "get", 302),
    "seller_team_send": ("/seller/team/invitations/{invitation}/send/", "post", 302),
    "seller_team_withdraw": ("/seller/team/invitations/{invitation}/withdraw/", "post", 302),
    "seller_team_role": ("/seller/team/{member}/role/", "post", 302),
    "seller_team_remove": ("/seller/team/{member}/remove/", "get", 200),
    "seller_team_hand_over": ("/seller/team/{member}/hand-over/", "get", 200),
    "seller_tokens": ("/seller/tokens/", "get", 200),
    "seller_token_revoke": ("/seller/tokens/{token}/revoke/", "post", 302),
}
# Addresses without anything in them that belongs to somebody: any seller may open their own.
NOBODYS_IN_PARTICULAR = {name for name, (path, _, _) in PANEL.items() if "{" not in path} | {
    "seller_connect_platform",
    "seller_connect_way",
}
# Answered to the shop's own server: the one-time state is the proof (tests/web/seller/test_panel.py).
BY_STATE = {"seller_connect_callback"}


def names(prefix: str, found: list[URLPattern | URLResolver] | None = None) -> set[str]:
    """Every named address whose name begins with `prefix`."""
    every: set[str] = set()
    for entry in found if found is not None else get_resolver().url_patterns:
        if isinstance(entry, URLResolver):
            every |= names(prefix, entry.url_patterns)
        elif entry.name and entry.name.startswith(prefix):
            every.add(entry.name)
    return every


def client_of(person: User | None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person)
    return client


def test_every_address_of_the_panel_has_an_entry() -> None:
    assert names("seller_") == set(PANEL) | BY_STATE


def path_of(house: House, name: str) -> str:
    return PANEL[name][0].format(**house.urls)


def walk(house: House, person: User | None) -> Iterator[tuple[str, Any]]:
    """Every address of the panel in turn, as this person."""
    client = client_of(person)
    for name, (_, method, _) in PANEL.items():
        yield name, getattr(client, method)(path_of(house, name))


def test_the_owner_is_answered(house: House) -> None:
    for name, answer in walk(house, house.owner):
        assert answer.status_code == PANEL[name][2], name
        assert "no-store" in answer["Cache-Control"], name
        if answer.status_code == 302:
            assert answer["Location"].startswith("/seller/"), name


def test_the_wrong_seller_is_refused(house: House) -> None:
    for name, answer in walk(house, house.wrong.owner):
        if name in NOBODYS_IN_PARTICULAR and "?" not in PANEL[name][0]:
            assert answer.status_code in (200, 302), name
            assert house.world.seller.name.encode() not in answer.getvalue(), name
        elif name == "seller_resend":
            assert answer["Location"] == "/seller/orders/"
        else:
            assert answer.status_code == 404, name
    waiting = Order.objects.get(public_id=house.urls["waiting"])
    assert not waiting.timeline.filter(kind__in=["resent", "create_in_shop"]).exists()
    assert Alert.objects.get(public_id=house.urls["alert"]).settled_at is None


def test_a_buyer_is_refused(house: House) -> None:
    for name, answer in walk(house, house.buyer):
        if name == "seller_connect_return":
            assert answer["Location"] == "/seller/connect/"
        else:
            assert answer.status_code == 403, name


def test_nobody_is_sent_to_the_sign_in(house: House) -> None:
    for name, answer in walk(house, None):
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, SIGN_IN), name


def test_a_deed_needs_a_form_of_ours(house: House) -> None:
    """Following a link does nothing, and neither does a form on somebody else's page."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(house.owner)
    for name, (_, method, _) in PANEL.items():
        if method == "post":
            assert client.get(path_of(house, name)).status_code == 405, name
            assert client.post(path_of(house, name)).status_code == 403, name
    assert Alert.objects.get(public_id=house.urls["alert"]).settled_at is None


# Staff's addresses, the same way. What a deed answers with is a redirect; nobody else learns that there is such a page.
STAFF: dict[str, tuple[str, str, int]] = {
    "staff_home": ("/staff/", "get", 200),
    "staff_find": ("/staff/find/?q=Ember", "get", 200),
    "staff_sellers": ("/staff/sellers/", "get", 200),
    "staff_quality": ("/staff/sellers/quality/", "get", 200),
    "staff_seller": ("/staff/sellers/{seller}/", "get", 200),
    "staff_seller_money": ("/staff/sellers/{seller}/money/", "get", 200),
    "staff_payout_hold": ("/staff/sellers/{seller}/money/hold/", "post", 302),
    "staff_commission": ("/staff/sellers/{seller}/commission/", "post", 302),
    "staff_seller_quotas": ("/staff/sellers/{seller}/limits/", "get", 200),
    "staff_seller_sales": ("/staff/sellers/{seller}/sales/", "post", 302),
    "staff_order": ("/staff/orders/{order}/", "get", 200),
    "staff_order_messages": ("/staff/orders/{order}/messages/", "get", 200),
    "staff_order_credit": ("/staff/orders/{order}/credit/", "get", 200),
    "staff_credits": ("/staff/credits/", "get", 200),
    "staff_credit": ("/staff/credits/{credit}/", "get", 200),
    "staff_commission_rules": ("/staff/commission/", "get", 200),
    "staff_commission_new": ("/staff/commission/new/", "get", 200),
    "staff_commission_end": ("/staff/commission/{commission}/end/", "post", 302),
    "staff_disputes": ("/staff/disputes/", "get", 200),
    "staff_ratings": ("/staff/ratings/", "get", 200),
    "staff_rating": ("/staff/ratings/{rating}/", "get", 200),
    "staff_pages": ("/staff/pages/", "get", 200),
    "staff_brand": ("/staff/brand/", "get", 200),
    "staff_page": ("/staff/pages/terms/", "get", 200),
    "staff_reports": ("/staff/reports/", "get", 200),
    "staff_reports_csv": ("/staff/reports/csv/", "get", 200),
    "staff_journal": ("/staff/reports/books/", "get", 200),
    "staff_report_rows": ("/staff/reports/sales/?currency=USD", "get", 200),
    "staff_dispute": ("/staff/disputes/{dispute}/", "get", 200),
    "staff_credit_retry": ("/staff/credits/{credit}/retry/", "post", 302),
    "staff_moderation": ("/staff/moderation/", "get", 200),
    "staff_moderation_find": ("/staff/moderation/find/?q=Own", "get", 200),
    "staff_moderated": ("/staff/moderation/{down}/", "get", 200),
    "staff_approvals": ("/staff/approvals/", "get", 200),
    "staff_approval": ("/staff/approvals/{seller}/", "get", 200),
    "staff_approval_document": ("/staff/approvals/{seller}/document/", "get", 200),
    "staff_alerts": ("/staff/alerts/", "get", 200),
    "staff_alert_settle": ("/staff/alerts/{staff_alert}/settle/", "post", 302),
    "staff_cases": ("/staff/cases/", "get", 200),
    "staff_case": ("/staff/cases/{case}/", "get", 200),
    "staff_case_answer": ("/staff/cases/{case}/answer/", "post", 400),
    "staff_case_file": ("/staff/cases/{case}/file/", "get", 200),
    "staff_commands": ("/staff/commands/", "get", 200),
    "staff_resend_many": ("/staff/commands/resend/?pick={command}", "get", 200),
    "staff_resend": ("/staff/commands/{command}/resend/", "post", 302),
    "staff_inbox": ("/staff/inbox/", "get", 200),
    "staff_quarantine": ("/staff/quarantine/", "get", 200),
    "staff_quarantined": ("/staff/quarantine/{quarantined}/", "get", 200),
    "staff_quarantine_file": ("/staff/quarantine/{quarantined}/file/", "get", 200),
    "staff_quarantine_end": ("/staff/quarantine/{quarantined}/end/", "post", 302),
    "staff_shops": ("/staff/shops/", "get", 200),
    "staff_shop": ("/staff/shops/{shop}/", "get", 200),
    "staff_shop_pause": ("/staff/shops/{shop}/pause/", "post", 302),
    "staff_shop_resume": ("/staff/shops/{shop}/resume/", "post", 302),
    "staff_policy": ("/staff/policy/", "get", 200),
    "staff_rule": ("/staff/policy/S3/", "get", 200),
    "staff_risk": ("/staff/risk/", "get", 200),
    "staff_risk_rules": ("/staff/risk/rules/", "get", 200),
    "staff_risk_set": ("/staff/risk/rules/{rules}/", "get", 200),
    "staff_risk_lists": ("/staff/risk/lists/", "get", 200),
    "staff_risk_unlist": ("/staff/risk/lists/1/off/", "post", 302),
    "staff_risk_order": ("/staff/orders/{order}/risk/", "get", 200),
    "staff_risk_clear": ("/staff/orders/{order}/risk/clear/", "post", 302),
    "staff_risk_label": ("/staff/orders/{order}/risk/label/", "post", 302),
    "staff_tokens": ("/staff/tokens/", "get", 200),
    "staff_token_updates": ("/staff/tokens/{token}/updates/", "get", 200),
    "staff_token_revoke": ("/staff/tokens/{token}/revoke/", "post", 302),
    "staff_token_resume": ("/staff/tokens/{token}/resume/", "post", 302),
    "staff_roles": ("/staff/roles/", "get", 200),
    "staff_taxonomy": ("/staff/attributes/", "get", 200),
    "staff_taxonomy_edit": ("/staff/attributes/edit/", "get", 200),
    "staff_retention": ("/staff/retention/", "get", 200),
    "staff_people": ("/staff/people/?q={email}", "get", 200),
    "staff_person_copy": ("/staff/people/{person}/copy/", "post", 302),
    "staff_person_leave": ("/staff/people/{person}/leave/", "post", 302),
    "staff_data_run": ("/staff/people/runs/{run}/", "post", 302),
    "staff_audit": ("/staff/audit/", "get", 200),
    "staff_act": ("/staff/sellers/{seller}/act/", "post", 302),
    "staff_act_end": ("/staff/act/end/", "post", 302),
}


def staff_walk(house: House, person: User | None) -> Iterator[tuple[str, Any]]:
    client = client_of(person)
    for name, (path, method, _) in STAFF.items():
        yield name, getattr(client, method)(path.format(**house.urls))


def test_every_address_of_staff_has_an_entry() -> None:
    assert names("staff_") == set(STAFF)


def test_staff_are_answered(house: House) -> None:
    for name, answer in staff_walk(house, user(is_staff=True)):
        assert answer.status_code == STAFF[name][2], name
        if answer.status_code == 302:
            assert answer["Location"].startswith("/staff/"), name


@pytest.mark.parametrize("who", ["owner", "wrong", "buyer"])
def test_to_everybody_else_staffs_pages_do_not_exist(house: House, who: str) -> None:
    person = {"owner": house.owner, "wrong": house.wrong.owner, "buyer": house.buyer}[who]
    for name, answer in staff_walk(house, person):
        assert answer.status_code == 404, name
    # A deed by GET would answer 405 before asking who it is; it does not.
    client = client_of(person)
    for name, (path, method, _) in STAFF.items():
        if method == "post":
            assert client.get(path.format(**house.urls)).status_code == 404, name


def test_a_visitor_is_sent_to_the_sign_in_by_staffs_pages(house: House) -> None:
    for name, answer in staff_walk(house, None):
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, SIGN_IN), name


def test_a_deed_of_staff_needs_a_form_of_ours(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user(is_staff=True))
    for name, (path, method, _) in STAFF.items():
        at = path.format(**house.urls)
        assert client.post(at).status_code in (403, 405), name
        if method == "post":
            assert client.get(at).status_code == 405, name


# What a buyer has begun: name -> (path, method, what its buyer gets, whose it is in the house).
BUYERS: dict[str, tuple[str, str, int, str]] = {
    "my_offer": ("/offers/{offer}/", "get", 200, "buyer"),
    "my_offer_answer": ("/offers/{offer}/answer/", "post", 302, "buyer"),
    "my_offer_pay": ("/offers/{offer}/pay/", "post", 302, "buyer"),
    "payment_check": ("/checkout/check/{intent}/", "get", 302, "bought"),
    "paid": ("/checkout/paid/{intent}/", "get", 200, "bought"),
    "my_order": ("/orders/{order}/", "get", 200, "bought"),
    "my_order_receipt": ("/orders/{order}/receipt.pdf", "get", 200, "bought"),
    "my_order_cancel": ("/orders/{order}/cancel/", "get", 302, "bought"),
    "my_order_withdraw": ("/orders/{order}/withdraw/", "get", 200, "bought"),
    "my_order_rating": ("/orders/{order}/rating/", "get", 200, "bought"),
    "my_order_returns": ("/orders/{order}/returns/", "get", 200, "bought"),
    "my_return_picture": ("/orders/{order}/returns/{return}/pictures/{returned}/", "get", 200, "bought"),
    "my_order_messages": ("/orders/{order}/messages/", "get", 200, "bought"),
    "my_order_report": ("/orders/{order}/messages/report/", "post", 302, "bought"),
    "my_order_keep": ("/orders/{order}/keep/", "post", 302, "bought"),
    "my_search": ("/searches/{search}/", "post", 302, "buyer"),
}
# The person's own, whoever they are, behind a sign-in.
ONES_OWN = {
    "make_offer": "/l/{own}/offer/",
    "report_rating": "/s/{slug}/ratings/{rating}/report/",
    "my_offers": "/offers/",
    "checkout": "/checkout/",
    "pay": "/checkout/pay/",
    "my_orders": "/orders/",
    "my_searches": "/searches/",
    "save_search": "/searches/save/",
    "start_selling": "/sell/",
}
# For everybody; what they show is public, and a cart is its visitor's session.
OPEN = {
    "ratings_of",
    "acp_discovery",
    "ucp_discovery",
    "withdraw",
    "withdraw_by_link",
    "returns_by_link",
    "return_picture_by_link",
    "browse",
    "category",
    "stop_searches",
    "team_join",
    "listing",
    "report_listing",
    "seller",
    "cart",
    "cart_add",
    "cart_change",
    "cart_drop",
    "brand_css",
    "language",
    "healthz",
    "page",
    "picture",
    "robots",
    "sitemap",
    "sitemap_part",
}


def test_every_other_address_has_an_entry() -> None:
    """A new address is put into one of the tables, or this fails. The API's are in test_api.py, agents' in
    agents/test_agents_entrance.py, webhooks in test_door.py, the admin's in test_staff.py, accounts' in test_signin.py;
    the demo's pages exist in a demo only.
    """
    elsewhere = ("seller_", "staff_", "demo_")
    of_others = ("admin/", "api/v1/", "accounts/", "agents/acp/", "agents/ucp/")
    tables = [entry for entry in get_resolver().url_patterns if str(entry.pattern) not in of_others]
    here = {name for name in names("", tables) if not name.startswith(elsewhere)}
    assert here == set(BUYERS) | set(ONES_OWN) | OPEN


def test_what_a_buyer_began_is_found_by_nobody_else(house: House) -> None:
    strangers = [user(), house.owner, house.wrong.owner, user(is_staff=True)]
    for name, (path, method, _, whose) in BUYERS.items():
        theirs = getattr(house, whose)
        for person in [*strangers, house.buyer if whose == "bought" else house.bought]:
            answer = getattr(client_of(person), method)(path.format(**house.urls))
            assert answer.status_code == 404, (name, person)
        nobody = getattr(client_of(None), method)(path.format(**house.urls))
        assert (nobody.status_code, nobody["Location"].partition("?")[0]) == (302, SIGN_IN), name
        own = getattr(client_of(theirs), method)(path.format(**house.urls))
        assert own.status_code == BUYERS[name][2], name
        assert not (own.status_code == 302 and own["Location"].startswith(SIGN_IN)), name


def test_ones_own_pages_ask_for_a_sign_in_and_show_nothing_of_others(house: House) -> None:
    stranger = user()
    for name, path in ONES_OWN.items():
        at = path.format(**house.urls)
        nobody = client_of(None).get(at)
        assert (nobody.status_code, nobody["Location"].partition("?")[0]) == (302, SIGN_IN), name
        answer = client_of(stranger).get(at)
        assert answer.status_code in (200, 302), name
        assert house.urls["order"].encode() not in answer.getvalue(), name
        assert house.urls["offer"].encode() not in answer.getvalue(), name
