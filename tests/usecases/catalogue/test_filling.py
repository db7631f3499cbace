"""Attributes: defined by staff, filled by a seller's rules at each import and by hand, shown as they are."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.finding.filling import Rule, Source
from crossdock.domain.finding.taxonomy import NotATaxonomy, read_taxonomy
from crossdock.domain.values import Money
from crossdock.store.models import AuditEntry, FillRule, Listing, Refill, Variant
from crossdock.usecases.catalogue import filling, import_products
from crossdock.usecases.catalogue.fill_rules import add_rule, preview, remove_rule, set_by_hand
from crossdock.usecases.catalogue.finding import Wanted, find
from crossdock.usecases.catalogue.taxonomy import changes, checked, define, in_force
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.stock import counts
from market import World, user

NOW = datetime.now(UTC)
pytestmark = pytest.mark.django_db
CARDS: dict[str, Any] = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))


def cards() -> Any:
    """The definitions for cards, in force."""
    staff = user(is_staff=True, roles="admin")
    define(document=CARDS, actor=staff, now=NOW)
    return staff


def product(number: int, *options: str, tags: tuple[str, ...] = (), types: tuple[str, ...] = ()) -> ShopProduct:
    variants = tuple(
        ShopVariant(f"w{number}-{n}", f"W{number}-{n}", words, Money(500, "USD"), 3)
        for n, words in enumerate(options or ("",))
    )
    return ShopProduct(f"q{number}", f"Card {number}", variants, tags=tags, types=types)


def take(world: World, *products: ShopProduct) -> None:
    no = counts.draw_read_no()
    import_products.receive_products(connection_id=world.shop.pk, products=products, read_no=no, now=world.now)


def rule(world: World, source: Source, word: str, attribute: str, value: str = "", name: str = "") -> int:
    made = Rule(source, name, word, attribute, value)
    return add_rule(seller=world.seller, rule=made, actor=world.seller.owner, now=world.now)


def facts(number: int) -> list[str]:
    return [fact for fact in Listing.objects.get(shop_product_id=f"q{number}").facts if "=" in fact]


class TestDefinitions:
    def test_the_example_is_whole_and_only_staff_with_the_right_define(self, world: World) -> None:
        for person in (world.seller.owner, user(is_staff=True, roles="support")):
            with pytest.raises(NotAllowed):
                define(document=CARDS, actor=person, now=NOW)
        assert not in_force()
        staff = cards()
        assert in_force().attributes["grade"].name == "Grade"
        assert not define(document=CARDS, actor=staff, now=NOW), "the same again is nothing"
        assert AuditEntry.objects.filter(action="defined attributes").count() == 1

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ([], "one JSON object"),
            ({"attribute": []}, "“attribute” is nothing"),
            ({"attributes": [{"key": "Set!", "name": "x", "kind": "text"}]}, "small letters"),
            ({"attributes": [{"key": "a", "name": "A", "kind": "colour"}]}, "choice, text, number, yes-no"),
            ({"attributes": [{"key": "a", "name": "A", "kind": "choice"}]}, "needs “choices”"),
            ({"attributes": [{"key": "a", "name": "", "kind": "text"}]}, "needs a name"),
            ({"attributes": [{"key": "category", "name": "C", "kind": "text"}]}, "cannot be the key"),
            ({"attributes": [{"key": "a", "name": "A", "kind": "text"}] * 2}, "twice"),
            ({"categories": [{"key": "a", "name": "A", "in": "b"}]}, "not defined"),
            (
                {"categories": [{"key": "a", "name": "A", "in": "b"}, {"key": "b", "name": "B", "in": "a"}]},
                "in itself",
            ),
            ({"categories": [{"key": "a", "name": "A", "attributes": ["x"]}]}, "not defined"),
        ],
    )
    def test_a_wrong_document_is_refused_with_the_place(self, wrong: Any, said: str) -> None:
        with pytest.raises(NotATaxonomy, match=said):
            read_taxonomy(wrong)

    def test_what_is_taken_away_is_told_with_how_many_have_it(self, world: World) -> None:
        cards()
        rule(world, Source.OPTION, "", "condition")
        take(world, product(1, "Near Mint"), product(2, "Near Mint"))
        less = json.loads(json.dumps(CARDS))
        condition = next(each for each in less["attributes"] if each["key"] == "condition")
        condition["choices"] = condition["choices"][1:]
        (change,) = changes(in_force(), checked(less))
        assert (change.sentence, change.listings) == ("Condition: no longer Near Mint.", 2)


class TestRules:
    def test_they_fill_at_import_and_at_once(self, world: World) -> None:
        cards()
        assert rule(world, Source.OPTION, "", "condition") == 0, "nothing says a condition yet"
        assert rule(world, Source.TAG, "promo", "signed", "yes") == 0
        assert rule(world, Source.TYPE, "Singles", "category", "singles") == 0
        take(world, product(1, "NM", "HT-06 Moderately played / German", tags=("PROMO",), types=("singles",)))
        assert facts(1) == [
            "category=cards",
            "category=singles",
            "condition=moderately-played",
            "condition=near-mint",
            "signed=yes",
        ]
        first, second = Variant.objects.filter(listing__shop_product_id="q1").order_by("position")
        assert "condition=near-mint" in first.facts and "condition=near-mint" not in second.facts
        assert rule(world, Source.OPTION, "", "language") == 1, "what is there changes at once"
        assert "language=de" in facts(1)
        row = FillRule.objects.get(attribute="signed")
        assert remove_rule(seller=world.seller, pk=row.pk, actor=world.seller.owner, now=NOW) == 1
        assert "signed=yes" not in facts(1)

    def test_a_preview_writes_nothing_and_says_how_many(self, world: World) -> None:
        cards()
        take(world, product(1, "NM"), product(2, "LP"), product(3, "?"))
        before = list(Listing.objects.order_by("pk").values_list("facts", flat=True))
        shown = preview(seller=world.seller, rule=Rule(Source.OPTION, "", "", "condition", ""))
        assert (shown.looked, shown.changed, shown.more) == (4, 2, False)
        assert list(Listing.objects.order_by("pk").values_list("facts", flat=True)) == before
        assert not FillRule.objects.exists()

    def test_an_unknown_value_is_kept_as_the_shop_wrote_it(self, world: World) -> None:
        cards()
        rule(world, Source.OPTION, "", "condition", name="Condition")
        odd = ShopVariant("w1", "W1", "Minty", Money(500, "USD"), 3, options=(("Condition", "Minty"),))
        take(world, ShopProduct("q1", "Card 1", (odd,)))
        assert facts(1) == ["condition=?Minty"]
        page = (
            Client()
            .get(reverse("listing", args=[Listing.objects.get(shop_product_id="q1").public_id]))
            .content.decode()
        )
        assert "Minty" in page

    def test_a_property_of_the_product_holds_for_variants_without_an_option_of_its_name(self, world: World) -> None:
        cards()
        rule(world, Source.OPTION, "", "condition", name="Condition")
        rule(world, Source.OPTION, "", "language", name="Language")
        own = ShopVariant("w1", "W1", "NM", Money(500, "USD"), 3, options=(("condition", "Near Mint"),))
        bare = ShopVariant("w2", "W2", "", Money(500, "USD"), 3)
        said = (("Condition", "Damaged"), ("Language", "English"))
        take(world, ShopProduct("q1", "Card 1", (own, bare), properties=said))
        by_sku = {row.sku: row.facts for row in Variant.objects.filter(listing__shop_product_id="q1")}
        assert by_sku["W1"] == ["condition", "condition=near-mint", "language", "language=en"]
        assert by_sku["W2"] == ["condition", "condition=damaged", "language", "language=en"]

    def test_what_is_set_by_hand_wins_until_it_is_taken_back(self, world: World) -> None:
        cards()
        rule(world, Source.OPTION, "", "condition")
        take(world, product(1, "NM", "LP"))
        listing = Listing.objects.get(shop_product_id="q1")

        def by_hand(**values: list[str]) -> None:
            set_by_hand(listing=listing, values=values, actor=world.seller.owner, now=NOW)

        by_hand(condition=["Damaged"], number=["4/102"])
        assert facts(1) == ["condition=damaged", "number=4/102"]
        take(world, product(1, "NM", "LP"))
        assert facts(1) == ["condition=damaged", "number=4/102"]
        assert [row.title for row in find(wanted=Wanted("4/102"), now=NOW).listings] == ["Card 1"]
        by_hand(condition=[])
        assert facts(1) == [], "left open"
        by_hand()
        assert facts(1) == ["condition=lightly-played", "condition=near-mint"]
        with pytest.raises(Invalid, match="Grade: “high” is not a number"):
            by_hand(grade=["high"])
        with pytest.raises(NotAllowed):
            set_by_hand(listing=listing, values={}, actor=user(), now=NOW)

    def test_what_is_set_by_hand_while_its_product_is_read_is_not_lost(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a graded card the certificate decides that it is sold once: its variant may not forget it either."""
        cards()
        take(world, product(1, "NM"), product(2, "NM"))
        listing, values = Listing.objects.get(shop_product_id="q1"), {"category": ["graded"], "certificate": ["4711"]}
        kept, read = import_products._kept, list[str]()

        def just_before(*asked: Any) -> Any:
            """The seller's page is sent after the listings were read here, and before their variants."""
            if not read:
                set_by_hand(listing=listing, values=values, actor=world.seller.owner, now=NOW)
            read.append("once")
            return kept(*asked)

        monkeypatch.setattr(import_products, "_kept", just_before)
        take(world, product(1, "NM", "LP"), product(2, "NM", "LP"))
        assert read and "certificate=4711" in facts(1) and "category=graded" in facts(1)
        own = Variant.objects.filter(listing=listing, gone=False).order_by("pk")
        assert [("certificate=4711" in row.facts) for row in own] == [True, True]
        assert facts(2) == []

    def test_attributes_that_a_category_does_not_have_are_left_out(self, world: World) -> None:
        cards()
        rule(world, Source.OPTION, "", "condition")
        take(world, product(1, "NM"))
        listing = Listing.objects.get(shop_product_id="q1")
        set_by_hand(listing=listing, values={"category": ["sealed"]}, actor=world.seller.owner, now=NOW)
        assert facts(1) == ["category=cards", "category=sealed"]

    def test_rules_that_mean_nothing_are_refused(self, world: World) -> None:
        cards()
        for wrong, said in (
            (Rule(Source.OPTION, "", "NM", "condition", ""), "Choose the value"),
            (Rule(Source.OPTION, "", "", "condition", "near-mint"), "Name the word"),
            (Rule(Source.OPTION, "", "NM", "condition", "superb"), "no value"),
            (Rule(Source.OPTION, "", "NM", "colour", "red"), "Choose the attribute"),
            (Rule(Source.OPTION, "", "NM", "category", "singles"), "whole product"),
        ):
            with pytest.raises(Invalid, match=said):
                add_rule(seller=world.seller, rule=wrong, actor=world.seller.owner, now=NOW)
        other = World()
        with pytest.raises(NotAllowed):
            add_rule(
                seller=world.seller,
                rule=Rule(Source.OPTION, "", "", "condition", ""),
                actor=other.seller.owner,
                now=NOW,
            )


class TestAgain:
    def test_many_are_filled_in_batches_and_once(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        cards()
        Refill.objects.all().delete()
        take(world, *(product(n, "NM") for n in range(5)))
        monkeypatch.setattr("crossdock.usecases.catalogue.fill_rules.BATCH", 2)
        monkeypatch.setattr(filling, "BATCH", 2)
        rule(world, Source.OPTION, "", "condition")
        filled = Listing.objects.filter(facts__contains=["condition=near-mint"])
        assert filled.count() == 1, "the first two listings, of which one says a condition"
        rounds = 0
        while filling.refill_some(now=NOW):
            rounds += 1
        assert filled.count() == 5 and rounds == 3 and not Refill.objects.exists()

    def test_new_definitions_reach_every_seller(self, world: World) -> None:
        staff = cards()
        rule(world, Source.OPTION, "", "condition")
        take(world, product(1, "NM"))
        more = json.loads(json.dumps(CARDS))
        condition = next(each for each in more["attributes"] if each["key"] == "condition")
        condition["choices"][0]["key"] = "nm"
        define(document=more, actor=staff, now=NOW)
        while filling.refill_some(now=NOW):
            pass
        assert facts(1) == ["condition=nm"]


@pytest.fixture
def world() -> World:
    return World()
