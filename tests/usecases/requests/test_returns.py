"""Returns: asked for, answered, received in a condition that decides stock and credit; once, never beyond payment."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.usecases.test_rules import copy_of, landed, see
from tests.usecases.test_rules import manifest as manifest_of

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Manifest
from crossdock.domain.credit import Paid
from crossdock.domain.events import Refund
from crossdock.domain.requests.returns import (
    OPEN,
    REVIVED,
    Back,
    Condition,
    Fate,
    Payer,
    ReturnDeed,
    ReturnReason,
    ReturnState,
    Standing,
    due,
    holds_money,
    shares,
    why_not,
    with_delivery,
)
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Command, Credit, Mail, Order, PolicySwitch, Return, VariantStock
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import ask_credit, staff_credit
from crossdock.usecases.money.left import room
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.requests.overdue import tell_late
from crossdock.usecases.requests.receive import Deduction, Got, preview_receipt, receive
from crossdock.usecases.requests.returns import accept, ask_return, decline, sent, take_back, why_not_return
from crossdock.usecases.requests.withdraw import withdraw
from market import World, user

DAY = timedelta(days=1)


class TestRules:
    @given(st.sampled_from(ReturnState), st.sampled_from(ReturnDeed), st.booleans(), st.booleans())
    def test_what_is_over_stays_over(self, state: ReturnState, deed: ReturnDeed, binding: bool, sent: bool) -> None:
        standing = Standing(state, binding, sent)
        if not why_not(standing, deed) and not standing.open:
            again = {ReturnDeed.RECEIVE: ReturnState.RECEIVED, ReturnDeed.DECLINE: ReturnState.DECLINED}
            again[ReturnDeed.TAKE_BACK] = ReturnState.TAKEN_BACK
            assert again.get(deed) is state or (deed is ReturnDeed.ACCEPT and state in REVIVED)

    def test_a_withdrawal_is_neither_declined_nor_taken_back(self) -> None:
        for state in (ReturnState.ASKED, ReturnState.ACCEPTED):
            assert "cannot decline" in why_not(Standing(state, binding=True), ReturnDeed.DECLINE)
            assert "cannot be taken back" in why_not(Standing(state, binding=True), ReturnDeed.TAKE_BACK)

    @given(
        st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 6)), min_size=1, max_size=4),
        st.integers(0, 999),
        st.sampled_from(ReturnReason),
        st.data(),
    )
    def test_however_it_comes_back_the_parts_are_never_more_than_was_paid(
        self, lines: list[tuple[int, int]], shipping: int, reason: ReturnReason, data: st.DataObject
    ) -> None:
        gone = [0] * len(lines)
        total = sum(price * units for price, units in lines)
        back = 0
        for _ in range(8):
            more = [data.draw(st.integers(0, units - done)) for (_, units), done in zip(lines, gone, strict=True)]
            backs = [
                Back(Paid(price * units, units, done), many)
                for (price, units), done, many in zip(lines, gone, more, strict=True)
            ]
            whole = sum(shares(backs, shipping, reason))
            back += due(whole, before=0, deduction=0, room=total + shipping - back)
            gone = [done + many for done, many in zip(gone, more, strict=True)]
        assert back <= total + shipping
        if all(done == units for (_, units), done in zip(lines, gone, strict=True)):
            assert back == total + (shipping if with_delivery(reason) else 0), "the parts are the whole"

    def test_each_units_share_of_the_delivery_goes_back_where_the_reason_is_the_sellers_or_the_laws(self) -> None:
        whole = [Back(Paid(3000, 3), 3), Back(Paid(500, 1), 1)]
        part = [Back(Paid(3000, 3), 2), Back(Paid(500, 1), 1)]
        assert sum(shares(whole, 700, ReturnReason.WITHDRAWN)) == 4200
        assert sum(shares(whole, 700, ReturnReason.DAMAGED)) == 4200
        assert sum(shares(whole, 700, ReturnReason.NOT_WANTED)) == 3500
        assert shares(part, 700, ReturnReason.DAMAGED) == (2000 + 400, 500 + 100)
        assert shares(part, 700, ReturnReason.OTHER) == (2000, 500)

    def test_what_was_accepted_and_never_sent_keeps_no_money_for_ever(self) -> None:
        asked, accepted, now = Standing(ReturnState.ASKED), Standing(ReturnState.ACCEPTED), datetime.now(UTC)
        assert holds_money(asked, None, now) and holds_money(accepted, now, now + 29 * DAY)
        assert not holds_money(accepted, now, now + 30 * DAY)
        assert holds_money(Standing(ReturnState.ACCEPTED, sent=True), now, now + 400 * DAY)
        assert not any(holds_money(Standing(state), now, now) for state in set(ReturnState) - set(OPEN))


@pytest.fixture
def world(db: None) -> World:
    return World(units=90, now=datetime.now(UTC), refuses=False)


@pytest.fixture
def manifest() -> Manifest:
    return manifest_of()


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def shipped(world: World, quantity: int = 3) -> Order:
    order = landed(world, quantity)
    ship_by_hand(order=order, lines=None, tracking="T1", carrier="UPS", actor=world.seller.owner, now=world.later())
    return fresh(order)


def asked(world: World, order: Order, units: int = 1, reason: ReturnReason = ReturnReason.NOT_WANTED) -> Return:
    (line,) = order.lines.all()
    return ask_return(order=order, units={line.pk: units}, reason=reason, words="Too small.", now=world.later())


def taken(world: World, row: Return) -> Return:
    accept(row=row, actor=world.seller.owner, send_to="1 Elm St", payer=Payer.BUYER, label="", now=world.later())
    return Return.objects.get(pk=row.pk)


def back(row: Return, units: int, fate: Fate = Fate.ASIDE, condition: Condition = Condition.AS_SENT) -> dict[int, Got]:
    (part,) = row.lines.all()
    return {part.pk: Got(units, condition, fate)}


def got(
    world: World,
    row: Return,
    got: dict[int, Got],
    total: int,
    manifest: Manifest | None = None,
    deduction: Deduction = Deduction(),  # noqa: B008 - a frozen value
) -> Credit | None:
    return receive(
        row=row,
        got=got,
        deduction=deduction,
        expected_total=Money(total, "USD"),
        manifest=manifest,
        actor=world.seller.owner,
        now=world.later(),
    )


def test_from_the_question_to_the_credit_once_however_often_it_is_pressed(world: World) -> None:
    order = shipped(world)
    row = asked(world, order, 2)
    assert asked(world, order, 1) == row, "asked twice it is one"
    assert "under way" in why_not_return(fresh(order), now=world.now)
    with pytest.raises(NotAllowed, match="has not answered"):
        sent(row=row, carrier="UPS", tracking="R1", now=world.later())
    row = taken(world, row)
    sent(row=row, carrier="UPS", tracking="R1", now=world.later())
    with pytest.raises(NotAllowed, match="sent it back already"):
        take_back(row=row, now=world.later())
    with pytest.raises(Stale, match=r"20\.00"):
        got(world, row, back(row, 2), 1999)
    credits = [got(world, row, back(row, 2), 2000) for _ in range(3)]
    assert len({credit.pk for credit in credits if credit}) == 1 and Credit.objects.count() == 1
    order = fresh(order)
    assert (order.credited_minor, order.money, order.parcels) == (2000, "partly_credited", "shipped")
    assert Command.objects.filter(kind="refund_payment").count() == 1
    assert not Command.objects.filter(kind="adjust_stock").exists(), "set aside: no count changes"
    row = Return.objects.get()
    assert (row.state, row.credit_id, row.lines.get().received) == ("received", credits[0].pk, 2)  # type: ignore[union-attr]
    assert why_not_return(order, now=world.now) == "", "one unit is left"
    told = {mail.cause.split(":")[0] for mail in Mail.objects.all()}
    assert {"return_asked", "return_asked_buyer", "return_accepted", "return_sent", "credited"} <= told
    for_buyer = Mail.objects.filter(cause__startswith="return_asked:").get()
    assert order.buyer.email not in for_buyer.body and for_buyer.to == world.seller.owner.email


def test_a_unit_for_sale_again_raises_the_shops_count_once_and_nothing_here(world: World, manifest: Manifest) -> None:
    order = shipped(world)
    before = VariantStock.objects.get(pk=world.variant.pk).count
    row = taken(world, asked(world, order, 2))
    for _ in range(2):
        got(world, row, back(row, 2, Fate.RESTOCK), 2000, manifest)
    command = Command.objects.get(kind="adjust_stock")
    assert (command.payload["delta"], command.subject) == (2, order.reference)
    assert VariantStock.objects.get(pk=world.variant.pk).count == before, "only a read says more"


def test_what_came_back_used_is_not_sold_as_new_and_some_of_it_can_be_kept(world: World, manifest: Manifest) -> None:
    order = shipped(world, 1)
    row = taken(world, asked(world, order, 1))
    used = back(row, 1, Fate.RESTOCK, Condition.USED)
    with pytest.raises(Invalid, match="used or damaged is not sold"):
        got(world, row, used, 1000, manifest)
    with pytest.raises(Invalid, match="only for what came back used"):
        got(world, row, back(row, 1), 700, manifest, Deduction(300, "Scratched"))
    with pytest.raises(Invalid, match="Say why"):
        got(world, row, back(row, 1, condition=Condition.USED), 700, manifest, Deduction(300, ""))
    with pytest.raises(Invalid, match="up to what would go back"):
        got(world, row, back(row, 1, condition=Condition.USED), 700, manifest, Deduction(1001, "Worn"))
    credit = got(world, row, back(row, 1, condition=Condition.USED), 700, manifest, Deduction(300, "Scratched"))
    assert credit is not None and credit.amount_minor == 700 and "keeps $3.00: Scratched" in credit.reason


def test_a_listing_made_by_hand_counts_one_more_at_once(world: World) -> None:
    own = make_listing(
        seller=world.seller, title="Own", description="", price=Money(1000, "USD"), count=5, now=world.now
    )
    world.variant = own.variants.get()
    order = world.buy(2)
    ship_by_hand(order=order, lines=None, tracking="T", carrier="", actor=world.seller.owner, now=world.later())
    assert VariantStock.objects.get(pk=world.variant.pk).count == 3
    row = taken(world, asked(world, fresh(order), 1))
    for _ in range(2):
        got(world, row, back(row, 1, Fate.RESTOCK), 1000)
    assert VariantStock.objects.get(pk=world.variant.pk).count == 4 and world.available == 4


def test_only_what_was_shipped_and_is_in_no_return_can_be_asked_for(world: World) -> None:
    order = landed(world, 3)
    assert "Nothing of this order was shipped" in why_not_return(order, now=world.now)
    some = {order.lines.get().pk: 2}
    ship_by_hand(order=order, lines=some, tracking="", carrier="", actor=world.seller.owner, now=world.later())
    order = fresh(order)
    with pytest.raises(Invalid, match="between 1 and 2"):
        asked(world, order, 3)
    row = asked(world, order, 1)
    decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
    with pytest.raises(Invalid, match="between 1 and 1"):
        asked(world, order, 2)
    second = asked(world, order, 1)
    take_back(row=second, now=world.later())
    third = asked(world, order, 1)
    assert third != second
    with pytest.raises(NotAllowed, match="came in between"):
        taken(world, row)
    take_back(row=third, now=world.later())
    assert taken(world, row).state == "accepted", "what was declined may still be accepted"
    assert "ended" in why_not_return(fresh(order), now=world.now + 400 * DAY)


def test_a_withdrawal_comes_back_without_an_answer_and_with_its_delivery(world: World) -> None:
    order = shipped(world, 2)
    Order.objects.filter(pk=order.pk).update(ship_to={**order.ship_to, "country": "DE", "region": ""})
    order = fresh(order)
    first = asked(world, order, 1)
    withdraw(order=order, name="Zoë", now=world.later())
    row = Return.objects.get()
    assert row == first and row.binding and row.lines.get().units == 2
    with pytest.raises(NotAllowed, match="cannot decline"):
        decline(row=row, actor=world.seller.owner, answer="No.", now=world.later())
    row = taken(world, row)
    shown = preview_receipt(row=row, got=back(row, 2), deduction=Deduction(), manifest=None)
    assert shown.delivery == Money(500, "USD") and shown.total == order.total
    got(world, row, back(row, 2), order.total_minor)
    assert fresh(order).money == "credited"
    assert not Alert.objects.filter(code=AlertCode.WITHDRAWN, settled_at=None).exists()


def test_a_refund_in_the_shop_answers_it_and_nothing_is_credited_twice(world: World) -> None:
    PolicySwitch.objects.update_or_create(rule="S8", defaults={"lifted": True, "changed_at": world.now})
    order = shipped(world, 2)
    row = taken(world, asked(world, order, 2))
    refunded(world, order, "r1", 500)
    assert Return.objects.get().state == "accepted", "a part of it counts, and does not answer"
    shown = preview_receipt(row=row, got=back(row, 2), deduction=Deduction(), manifest=None)
    assert (shown.before.minor, shown.total.minor) == (500, 1500)
    refunded(world, order, "r2", 1500)
    row = Return.objects.get()
    assert (row.state, row.lines.get().fate, fresh(order).credited_minor) == ("refunded", "in_shop", 2000)
    with pytest.raises(NotAllowed, match="over already"):
        got(world, row, back(row, 2), 0)


def refunded(world: World, order: Order, refund: str, minor: int) -> None:
    """Seen in the shop, as a reading of the order tells it."""
    before = [Refund(r.refund_id, Money(r.amount_minor, r.currency)) for r in order.shop_refunds.all()]
    see(world, copy_of(order, refunds=(*before, Refund(refund, Money(minor, "USD")))))


def test_where_refunds_of_the_shop_credit_nobody_the_return_does_and_they_are_its(world: World) -> None:
    order = shipped(world, 2)
    row = taken(world, asked(world, order, 2))
    refunded(world, order, "r1", 2000)
    alert = Alert.objects.get(code=AlertCode.REFUNDED_IN_SHOP)
    assert "mark the return as received" in alert.sentence and fresh(order).credited_minor == 0
    credit = got(world, row, back(row, 2, Fate.IN_SHOP), 2000)
    alert.refresh_from_db()
    assert alert.settled_at is not None and credit is not None and credit.shop_refund is not None


def test_what_staff_gave_since_counts_and_while_they_decide_nothing_is_credited(world: World) -> None:
    order = shipped(world, 3)
    row = taken(world, asked(world, order, 3))
    ask_credit(
        order=order, amount=Money(700, "USD"), reason="Sent back", body="", actor=world.seller.owner, now=world.later()
    )
    with pytest.raises(NotAllowed, match="staff decide about a credit"):
        got(world, row, back(row, 3), 3000)
    Credit.objects.update(state="declined")
    staff_credit(
        order=order, amount=Money(1200, "USD"), reason="Late", actor=user(is_staff=True), key="k", now=world.later()
    )
    got(world, row, back(row, 3), 1800)
    assert room(fresh(order)).minor == 500, "the delivery stays paid: the buyer did not want it"


def test_nobody_answered_is_told_once(world: World) -> None:
    order = shipped(world)
    asked(world, order)
    assert tell_late(now=world.later(3600)) == 0
    assert [tell_late(now=world.later(80 * 3600)) for _ in range(2)] == [1, 0]
    assert "has had no answer for" in Alert.objects.get(code=AlertCode.RETURN_LATE).sentence
    assert Mail.objects.filter(cause__startswith="return_unanswered:").count() == 1


def client_of(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def test_through_the_pages_on_both_sides(world: World) -> None:
    order = shipped(world, 2)
    (line,) = order.lines.all()
    mine, theirs = client_of(order.buyer), client_of(world.seller.owner)
    at = f"/orders/{order.public_id}/returns/"

    def text(client: Client, url: str, **form: object) -> str:
        answer = client.post(url, form, follow=True) if form else client.get(url, follow=True)
        return unescape(answer.content.decode())

    assert "Return something" in text(mine, f"/orders/{order.public_id}/")
    assert "Choose what you send back" in text(mine, at, deed="ask", reason="damaged")
    assert "has your request" in text(mine, at, deed="ask", reason="damaged", words="<b>", **{f"units_{line.pk}": "2"})
    row = Return.objects.get()
    its = f"/seller/returns/{row.public_id}/"
    assert "asks to send something back" in text(theirs, f"/seller/orders/{order.public_id}/")
    assert f"#{order.number}" in text(theirs, "/seller/returns/") and "“<b>”" in text(theirs, its)
    assert "Paste the label" in text(theirs, f"{its}answer/", deed="accept", send_to="Elm", payer="seller", label="")
    text(theirs, f"{its}answer/", deed="accept", send_to="1 Elm St", payer="seller", label="https://l.test/1")
    page = text(mine, at)
    assert "1 Elm St" in page and 'href="https://l.test/1"' in page
    assert "on its way" in text(mine, at, deed="sent", **{"return": row.public_id}, carrier="UPS", tracking="R1")
    page = text(mine, at)
    assert 'value="R1"' in page and 'value="UPS"' in page, "a wrong digit is corrected, not typed again"
    page = text(mine, at, deed="sent", **{"return": row.public_id}, carrier="DHL", tracking=" ")
    assert 'value="DHL"' in page and "This field is required" in page
    part = row.lines.get()
    chosen = {f"units_{part.pk}": "2", f"condition_{part.pk}": "as_sent", f"fate_{part.pk}": "in_shop"}
    query = "&".join(f"{name}={value}" for name, value in chosen.items())
    page = text(theirs, f"{its}receipt/?{query}")
    assert f'name="expected_total" value="{order.total_minor}"' in page and "its share of the delivery" in page
    assert "Received. The buyer is refunded" in text(
        theirs, f"{its}receipt/", expected_total=str(order.total_minor), **chosen
    )
    assert "go back the way you paid" in text(mine, at)


@pytest.mark.parametrize("form", [{"deed": "keep"}, {"deed": "sent", "tracking": "R1"}, {"deed": "dance"}, {}])
def test_of_a_return_that_is_not_there_the_page_says_so(world: World, form: dict[str, str]) -> None:
    order = shipped(world, 2)
    other = world.buy(1)
    ship_by_hand(order=other, lines=None, tracking="T2", carrier="UPS", actor=world.seller.owner, now=world.later())
    foreign = asked(world, fresh(other), 1)
    for which in (foreign.public_id, "none", "\x00"):
        answer = client_of(order.buyer).post(
            f"/orders/{order.public_id}/returns/", {**form, "return": which}, follow=True
        )
        assert answer.status_code == 200 and "There is no such return of this order." in answer.content.decode()
    foreign.refresh_from_db()
    assert (foreign.state, foreign.sent_at) == ("asked", None)


def test_a_step_that_is_over_is_said_on_the_page(world: World) -> None:
    order = shipped(world, 2)
    row = asked(world, order, 1)
    buyer, at = client_of(order.buyer), f"/orders/{order.public_id}/returns/"
    its = {"return": row.public_id}
    page = buyer.post(at, {"deed": "sent", **its}, follow=True).content.decode()
    assert "The seller has not answered yet" in page
    decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
    page = buyer.post(at, {"deed": "keep", **its}, follow=True).content.decode()
    assert "This return is over already." in page


def test_the_preview_says_what_of_the_delivery_goes_back(world: World) -> None:
    order = shipped(world, 4)
    seller = client_of(world.seller.owner)

    def page(row: Return) -> str:
        part = row.lines.get()
        chosen = {f"units_{part.pk}": 1, f"condition_{part.pk}": "as_sent", f"fate_{part.pk}": "aside"}
        return unescape(seller.get(f"/seller/returns/{row.public_id}/receipt/", chosen).content.decode())

    row = taken(world, asked(world, order, 1, ReturnReason.WRONG))
    assert "with $1.25, its share of the delivery" in page(row) and "Credit $11.25 and close" in page(row)
    got(world, row, back(row, 1), 1125)
    row = taken(world, asked(world, order, 1, ReturnReason.OTHER))
    assert "without its delivery: “Another reason” leaves that paid" in page(row) and "Credit $10.00" in page(row)
