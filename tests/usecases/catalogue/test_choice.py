"""What a seller sells of a shop by rules: tried over all products, in force for what is read and for what is here."""

from datetime import UTC, datetime

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.selling.choice import Choice
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Reservation, Selling
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue.import_products import receive_products
from crossdock.usecases.catalogue.listings import leave_out, live, relist, why_not_live
from crossdock.usecases.catalogue.selling import preview, rules, run
from crossdock.usecases.catalogue.selling.preview import Which
from crossdock.usecases.errors import Invalid, NotAllowed, Problem, Stale
from crossdock.usecases.shops.shop_money import ReadOtherwise
from crossdock.usecases.stock import counts
from market import World, seller

pytestmark = pytest.mark.django_db
CARDS = Choice(types=("cards",))


@pytest.fixture
def world() -> World:
    made = World(units=9, now=datetime.now(UTC))
    read(made, "p1", types=("Posters",))
    return made


def read(world: World, *ids: str, types: tuple[str, ...] = ("Cards",), tags: tuple[str, ...] = ()) -> None:
    """Products with one variant each; v1 is of p1."""
    products = [
        ShopProduct(
            id_, f"Fox {id_}", (ShopVariant(f"v{id_[1:]}", "", "", Money(1000, "USD"), 9),), types=types, tags=tags
        )
        for id_ in ids
    ]
    read_no, now = counts.draw_read_no(), world.later()
    receive_products(
        connection_id=world.shop.pk, products=products, read_no=read_no, now=now, read_as=world.shop.settings
    )


def choose(world: World, choice: Choice, *, follow: bool = True) -> None:
    owner = world.seller.owner
    rules.try_choice(connection=world.shop, choice=choice, actor=owner)
    rules.use_draft(connection=world.shop, seen=rules.mark(choice), actor=owner, now=world.later())
    while follow and run.follow_some(now=world.later()):
        pass


def sold() -> list[str]:
    return sorted(live().values_list("shop_product_id", flat=True))


def test_what_is_not_chosen_is_for_sale_nowhere_and_says_why(world: World) -> None:
    read(world, "p2")
    assert sold() == ["p1", "p2"]
    choose(world, CARDS)
    assert sold() == ["p2"]
    out = Listing.objects.get(shop_product_id="p1")
    assert "“Posters”" in out.not_chosen and out.state == ListingState.LIVE
    assert out.not_chosen in why_not_live(listing=out, now=world.now)
    with pytest.raises(Problem):
        world.buy()
    # What comes later is judged when it is read, and what comes back returns.
    read(world, "p3", types=("Posters",))
    read(world, "p4")
    assert sold() == ["p2", "p4"]
    read(world, "p1")
    assert sold() == ["p1", "p2", "p4"]
    choose(world, Choice())
    assert sold() == ["p1", "p2", "p3", "p4"]


def test_orders_and_holds_stay(world: World) -> None:
    order, held = world.buy(), Reservation.objects.count()
    choose(world, CARDS)
    order.refresh_from_db()
    assert order.cancelled_at is None and Reservation.objects.count() == held and sold() == []


def test_the_hand_wins_over_the_choice(world: World) -> None:
    listing = Listing.objects.get()
    leave_out(listing=listing, now=world.now)
    choose(world, Choice(types=("posters",)))
    assert sold() == [] and Listing.objects.get().state == ListingState.LEFT_OUT
    choose(world, CARDS)
    # Listed again by hand it is still not chosen: the seller changes the choice.
    relist(listing=listing, now=world.later())
    assert sold() == [] and Listing.objects.get().not_chosen
    Listing.objects.update(state=ListingState.TAKEN_DOWN)
    choose(world, Choice())
    assert sold() == [] and Listing.objects.get().state == ListingState.TAKEN_DOWN


def test_a_draft_changes_nothing_and_is_used_as_it_was_seen(world: World) -> None:
    owner = world.seller.owner
    rules.try_choice(connection=world.shop, choice=CARDS, actor=owner)
    read(world, "p1", types=("Posters",))
    assert sold() == ["p1"] and run.still_to_follow(world.shop) == 0
    with pytest.raises(Stale):
        rules.use_draft(connection=world.shop, seen=rules.mark(Choice()), actor=owner, now=world.now)
    rules.forget_draft(connection=world.shop, actor=owner)
    with pytest.raises(Stale):
        rules.use_draft(connection=world.shop, seen=rules.mark(CARDS), actor=owner, now=world.now)
    with pytest.raises(Invalid):
        rules.try_choice(connection=world.shop, choice=Choice(low=9, high=1, currency="USD"), actor=owner)
    for deed in (
        lambda who: rules.try_choice(connection=world.shop, choice=CARDS, actor=who),
        lambda who: rules.forget_draft(connection=world.shop, actor=who),
        lambda who: rules.use_draft(connection=world.shop, seen="", actor=who, now=world.now),
    ):
        with pytest.raises(NotAllowed):
            deed(seller().owner)


def test_an_import_that_followed_other_rules_keeps_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seller chose between its beginning and its end: the engine reads the page again."""
    ends = counts.apply_locked

    def chosen_meanwhile(**given: object) -> int:
        choose(world, CARDS)
        return ends(**given)  # type: ignore[arg-type]

    monkeypatch.setattr("crossdock.usecases.catalogue.import_products.apply_locked", chosen_meanwhile)
    with pytest.raises(ReadOtherwise):
        read(world, "p2", types=("Posters",))
    assert not Listing.objects.filter(shop_product_id="p2").exists()


def test_the_run_goes_on_in_batches_and_begins_anew_when_the_choice_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    read(world, *(f"p{n}" for n in range(2, 7)), types=("Posters",))
    choose(world, CARDS, follow=False)
    assert run.still_to_follow(world.shop) == 6 and run.follow_some(now=world.later())
    assert run.still_to_follow(world.shop) == 4 and len(sold()) == 4
    choose(world, Choice(), follow=False)
    assert run.still_to_follow(world.shop) == 6
    rounds = 0
    while run.follow_some(now=world.later()):
        rounds += 1
    assert rounds == 4 and len(sold()) == 6 and Selling.objects.get().after is None


def test_the_preview_counts_all_and_pages_by_key(world: World) -> None:
    read(world, *(f"p{n}" for n in range(2, 60)), types=("Cards",), tags=("web",))
    leave_out(listing=Listing.objects.get(shop_product_id="p2"), now=world.now)
    tried = Choice(types=("cards", "crads"))
    seen = preview.counts(connection=world.shop, choice=tried)
    assert (seen.chosen, seen.out, seen.leaving, seen.coming, seen.by_hand) == (58, 1, 1, 0, 1)
    assert seen.unknown == ["crads"] and seen.words == [
        ("type", "Cards", 58),
        ("type", "Posters", 1),
        ("tag", "web", 58),
    ]
    for which, many in ((Which.ALL, 59), (Which.SOLD, 58), (Which.OUT, 1)):
        keys, after = list[int](), None
        while rows := preview.page(connection=world.shop, choice=tried, which=which, after=after, limit=25):
            keys += [row.pk for row in rows]
            after = keys[-1]
        assert len(keys) == many and keys == sorted(set(keys), reverse=True)


def test_an_import_asks_as_often_with_rules_as_without(world: World) -> None:
    def statements() -> int:
        with CaptureQueriesContext(database) as some:
            read(world, "p1", types=("Posters",))
        return len(some)

    read(world, "p1", types=("Posters",))
    without = statements()
    choose(world, CARDS)
    assert statements() == without


def test_the_page_tries_uses_and_says_what_is_typed_wrong(world: World) -> None:
    read(world, *(f"p{n}" for n in range(2, 40)))
    panel = Client()
    panel.force_login(world.seller.owner)
    url = f"/seller/shops/{world.shop.public_id}/choice/"

    def page(query: str = "") -> str:
        answer = panel.get(url + query)
        assert answer.status_code == 200
        return answer.content.decode()

    assert "39 of 39 products" in page() and "Everything." in page()
    assert "\nPosters</textarea>" in page("?add=not_types:Posters")
    wrong = panel.post(url, {"low": "9", "high": "1.234"})
    assert wrong.status_code == 422 and "at most 2 decimals" in wrong.content.decode()
    assert panel.post(url, {"low": "9", "high": "1"}).status_code == 422
    assert panel.post(url, {"types": "Cards"}).status_code == 302
    tried = page()
    assert "38 of 39 products" in tried and "1 leaves and 0 come back" in tried and len(sold()) == 39
    assert "have not decided yet" in panel.get(f"/seller/shops/{world.shop.public_id}/evening/").content.decode()
    assert "Fox p1<" in page("?show=out") and "Fox p2<" not in page("?show=out")
    seen = rules.mark(CARDS)
    assert "another tab" in panel.post(url + "decide/", {"verdict": "use", "seen": seen}, follow=True).content.decode()
    seen = rules.mark(Choice(types=("Cards",)))
    panel.post(url + "decide/", {"verdict": "use", "seen": seen})
    assert len(sold()) == 38
    listing = Listing.objects.get(shop_product_id="p1")
    assert "Out of your choice" in panel.get(f"/seller/listings/{listing.public_id}/").content.decode()
    assert "Fox p1" in panel.get("/seller/listings/?show=not_chosen").content.decode()
    panel.post(url, {})
    panel.post(url + "decide/", {"verdict": "forget"})
    assert Selling.objects.get().draft is None and len(sold()) == 38


def test_the_page_asks_as_often_however_many_products(world: World) -> None:
    panel = Client()
    panel.force_login(world.seller.owner)

    def asked() -> int:
        with CaptureQueriesContext(database) as some:
            assert panel.get(f"/seller/shops/{world.shop.public_id}/choice/").status_code == 200
        return len(some)

    # What is kept for a while is asked for by the first page of all.
    asked()
    few = asked()
    read(world, *(f"p{n}" for n in range(2, 60)))
    assert asked() <= few
