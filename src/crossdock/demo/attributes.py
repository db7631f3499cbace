"""What the demo's cards are: the marketplace's attributes, a rule that fills one from the shop, the rest by hand."""

import json
from collections.abc import Sequence
from importlib.resources import files

from django.utils import timezone

from crossdock.domain.finding.filling import Rule, Source
from crossdock.domain.finding.taxonomy import CATEGORY
from crossdock.store.models import Listing, Seller, User
from crossdock.usecases.catalogue.fill_rules import add_rule, set_by_hand
from crossdock.usecases.catalogue.taxonomy import define, in_force


def _printed(title: str) -> dict[str, list[str]]:
    """Set and number as they stand on a card: "Ember Fox of Ægirsholm, Hollow Tide 18/20"."""
    name, _, number = title.rpartition(", ")[2].rpartition(" ")
    number, slash, _ = number.partition("/")
    return {"set": [name], "number": [number]} if slash and number.isdecimal() else {}


def describe(*, sellers: Sequence[Seller], staff: User) -> None:
    """Once: what somebody defined in the demo stays."""
    if in_force():
        return
    document = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))
    define(document=document, actor=staff, now=timezone.now())
    for seller in sellers:
        whatever_it_says = Rule(Source.OPTION, name="", word="", attribute="condition", value="")
        add_rule(seller=seller, rule=whatever_it_says, actor=seller.owner, now=timezone.now())
        for listing in Listing.objects.filter(seller=seller):
            if card := _printed(listing.title):
                values = {CATEGORY: ["singles"], "game": ["other"], "language": ["en"]} | card
                set_by_hand(listing=listing, values=values, actor=seller.owner, now=timezone.now())
