"""Notes and tags: a seller's own, kept once, and nobody else's to read."""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.house.test_flat import copies_of, only_by, plan

from crossdock.domain.daily.filters import OrderFilter
from crossdock.store.models import DataRun, Order, OrderNote, OrderTag, OrderView, TaggedOrder, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.daily import notes
from crossdock.usecases.orders.daily.notes import remove_note, tag_order, tags_of, untag_order, write_note
from crossdock.usecases.orders.daily.order_list import found_in, in_list
from crossdock.usecases.orders.daily.views import keep_view
from crossdock.usecases.privacy.shop_sections import SOLD
from crossdock.usecases.privacy.steps import STEPS
from crossdock.usecases.privacy.whose import Whose
from market import World, user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World(units=50)


class Desk:
    def __init__(self, who: User) -> None:
        self.client = Client()
        self.client.force_login(who)

    def get(self, url: str) -> str:
        return " ".join(unescape(self.client.get(url).content.decode()).split())

    def post(self, url: str, **form: str) -> tuple[int, str]:
        answer = self.client.post(url, form)
        return answer.status_code, " ".join(unescape(answer.content.decode()).split())


def test_a_note_is_kept_once_shown_with_its_writer_and_removed(world: World) -> None:
    order, desk = world.buy(), Desk(world.seller.owner)
    at = f"/seller/orders/{order.public_id}/"
    for _ in range(2):
        assert desk.post(f"{at}notes/", body=" Wrap it\r\nwell <b>! ")[0] == 302
    (note,) = OrderNote.objects.all()
    assert note.body == "Wrap it\nwell <b>!" and note.author == world.seller.owner
    page = desk.client.get(at).content.decode()
    assert "well &lt;b&gt;!" in page and str(world.seller.owner) in unescape(page)
    assert ">Note<" in desk.get("/seller/orders/?queue=all")
    buyer = Client()
    buyer.force_login(order.buyer)
    assert b"Wrap it" not in buyer.get(f"/orders/{order.public_id}/").content
    desk.post(f"{at}notes/{note.pk}/remove/")
    assert desk.post(f"{at}notes/{note.pk}/remove/")[0] == 302 and not OrderNote.objects.exists()


def test_what_cannot_be_kept_is_not_lost(world: World) -> None:
    order, desk = world.buy(), Desk(world.seller.owner)
    long = "w" * (notes.LONGEST_NOTE + 1)
    status, page = desk.post(f"/seller/orders/{order.public_id}/notes/", body=long)
    assert status == 422 and long in page and "at most 2000 characters" in page
    assert desk.post(f"/seller/orders/{order.public_id}/notes/", body="  ")[0] == 422
    assert not OrderNote.objects.exists()


def test_tags_grow_whatever_their_case_and_go_with_their_last_order(world: World) -> None:
    one, two, owner = world.buy(), world.buy(), world.seller.owner
    gift = tag_order(order=one, actor=owner, name="  Gift   box ")
    assert (
        tag_order(order=one, actor=owner, name="gift BOX") == tag_order(order=two, actor=owner, name="GIFT box") == gift
    )
    tag_order(order=two, actor=owner, name="call")
    assert tags_of(seller=world.seller) == ["call", "Gift box"] and TaggedOrder.objects.count() == 3

    def listed(tag: str, whose: World = world) -> list[Order]:
        return in_list(seller=whose.seller, wanted=OrderFilter(tag=tag), now=NOW)

    assert listed("gift box") == [two, one] and listed("call") == [two] and listed("x") == []
    assert listed("gift box", World()) == []
    page = Desk(owner).get("/seller/orders/?queue=all&tag=gift+box")
    assert "tagged gift box" in page and "Gift box" in page
    for _ in range(2):
        untag_order(order=one, tag_id=gift.pk, actor=owner)
    assert tags_of(seller=world.seller) == ["call", "Gift box"]
    untag_order(order=two, tag_id=gift.pk, actor=owner)
    assert tags_of(seller=world.seller) == ["call"]


def test_letters_whose_capitals_differ_are_one_tag_as_well(world: World) -> None:
    """In capital letters the database has "ẞ" and "ß" apart, in small ones together."""
    first, second, owner = world.buy(), world.buy(), world.seller.owner
    assert tag_order(order=first, actor=owner, name="GRUẞ") == tag_order(order=second, actor=owner, name="gruß")
    assert in_list(seller=world.seller, wanted=OrderFilter(tag="gruß"), now=NOW) == [second, first]


def test_limits_are_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order, owner = world.buy(), world.seller.owner
    for name, said in (("", "Choose a tag"), ("x" * 31, "at most 30")):
        with pytest.raises(Invalid, match=said):
            tag_order(order=order, actor=owner, name=name)
    monkeypatch.setattr(notes, "MOST_ON_ONE", 1)
    monkeypatch.setattr(notes, "MOST_TAGS", 1)
    monkeypatch.setattr(notes, "MOST_NOTES", 1)
    tag_order(order=order, actor=owner, name="a")
    with pytest.raises(Invalid, match="Take one off first"):
        tag_order(order=order, actor=owner, name="b")
    with pytest.raises(Invalid, match="You have 1 tags"):
        tag_order(order=world.buy(), actor=owner, name="b")
    write_note(order=order, actor=owner, body="a", now=NOW)
    with pytest.raises(Invalid, match="at most 1 notes"):
        write_note(order=order, actor=owner, body="b", now=NOW)


def test_another_seller_reaches_neither(world: World) -> None:
    order, other = world.buy(), World(units=3)
    note = write_note(order=order, actor=world.seller.owner, body="mine", now=NOW)
    tag = tag_order(order=order, actor=world.seller.owner, name="mine")
    stranger, theirs = other.seller.owner, other.buy()
    for deed in (
        lambda: write_note(order=order, actor=stranger, body="x", now=NOW),
        lambda: remove_note(order=order, note_id=note.pk, actor=stranger),
        lambda: tag_order(order=order, actor=stranger, name="x"),
        lambda: untag_order(order=order, tag_id=tag.pk, actor=stranger),
    ):
        with pytest.raises(NotAllowed):
            deed()
    remove_note(order=theirs, note_id=note.pk, actor=stranger)
    untag_order(order=theirs, tag_id=tag.pk, actor=stranger)
    assert OrderNote.objects.get() == note and OrderTag.objects.get() == tag and TaggedOrder.objects.exists()
    assert tags_of(seller=other.seller) == []


def test_a_tag_of_few_orders_is_found_by_its_index(world: World) -> None:
    order = world.buy()
    copies_of(order, 3000)
    tag_order(order=order, actor=world.seller.owner, name="rare")
    with only_by():
        assert "order_by_tag" in plan(found_in(seller=world.seller, wanted=OrderFilter(tag="rare"), now=NOW)[:41])


def test_a_list_of_tagged_orders_asks_no_more_questions(world: World) -> None:
    orders, desk = [world.buy() for _ in range(4)], Desk(world.seller.owner)

    def asked() -> int:
        with CaptureQueriesContext(database) as seen:
            desk.get("/seller/orders/?queue=all")
        return len(seen)

    # The first page of a session is kept as its last sign of life.
    asked()
    few = asked()
    for order in orders:
        tag_order(order=order, actor=world.seller.owner, name=f"t{order.pk}")
        write_note(order=order, actor=world.seller.owner, body="x", now=NOW)
    assert asked() == few


def test_who_leaves_takes_their_words_along(world: World) -> None:
    """A buyer's name goes out of the note; with the seller notes and tags go whole, and are in their copy before."""
    order, owner = world.buy(), world.seller.owner
    write_note(order=order, actor=owner, body="Zoë Müller, 1 Elm St, rings twice", now=NOW)
    tag_order(order=order, actor=owner, name="gift")
    copied = {section.name: list(section.rows(Whose(owner))) for section in SOLD if section.name.startswith("order_")}
    assert len(copied["order_notes"]) == len(copied["order_tags"]) == 1
    tag_order(order=order, actor=owner, name="For Zoë Müller")
    email = order.buyer.email
    for name, wanted in (("Zoë Müller", "gift"), ("A", "Müller"), ("B", f"x {email}"), ("Gifts", "gift 12345678")):
        keep_view(seller=world.seller, actor=owner, name=name, wanted=OrderFilter(words=wanted), now=NOW)

    def leave(person: User) -> None:
        for step in STEPS:
            if step.table in ("store.OrderNote", "store.OrderTag", "store.OrderView") and (
                found := list(step.rows(Whose(person)))
            ):
                step.do(found, Whose(person))

    leave(order.buyer)
    body = OrderNote.objects.get().body
    assert "Zoë" not in body and "Elm" not in body and body.endswith("rings twice")
    assert tags_of(seller=world.seller) == ["gift"] and OrderView.objects.get().name == "Gifts"
    leave(owner)
    assert not OrderNote.objects.exists() and not OrderTag.objects.exists() and not TaggedOrder.objects.exists()
    assert not DataRun.objects.exists() and user()
