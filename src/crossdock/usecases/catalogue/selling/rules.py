"""A seller's rules for a shop: read for an import, tried as a draft, put in force."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from pydantic import TypeAdapter

from crossdock.domain.events import ShopProduct
from crossdock.domain.selling.choice import EVERYTHING, Choice, Chooser, wrong_choice
from crossdock.domain.selling.pricing import OWN, Pricing
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Selling, User
from crossdock.usecases.errors import Invalid, Stale
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require

_CHOICE = TypeAdapter(Choice)
PRICING = TypeAdapter(Pricing)
SEEN_OTHERWISE = "This was changed in another tab or by somebody else. Look at it again, then decide."


@dataclass(frozen=True, slots=True)
class Rules:
    """Those in force for a shop, made ready for many products; `revision` 0 is a shop that has none."""

    chooser: Chooser
    pricing: Pricing
    revision: int

    def why_not(self, said: Mapping[str, Sequence[str]], product: ShopProduct) -> str:
        """Why a product as just read is not sold; empty when it is."""
        prices = [variant.price for variant in product.variants]
        return self.why_out(said, min(prices) if prices else None)

    def why_out(self, said: Mapping[str, Sequence[str]], lowest: Money | None) -> str:
        """The same from what is kept: `lowest` is its lowest price in the shop."""
        wrong = "" if lowest is None else self.pricing.why_not(lowest.currency)
        return wrong or self.chooser.why_not(said, lowest)

    def priced(self, price: Money) -> dict[str, int]:
        """What a variant keeps of its price in the shop: that, and what is asked here for it. A price of 0 or less is
        not sold (domain/for_sale).
        """
        own = Money(max(0, price.minor), price.currency)
        asked = self.pricing.of(own).minor if own.minor else 0
        return {"shop_price_minor": own.minor, "price_minor": asked}


_NONE = Rules(EVERYTHING, OWN, 0)


def selling_of(shop: Connection) -> Selling | None:
    """None for a shop without rules. No statement where the shop was read with its `selling`."""
    return getattr(shop, "selling", None)


def rules_of(shop: Connection) -> Rules:
    row = selling_of(shop)
    return rules_in(row) if row else _NONE


def rules_in(row: Selling) -> Rules:
    return Rules(Chooser.of(choice_in(row.choice)), pricing_in(row.pricing), row.revision)


def choice_in(kept: Mapping[str, Any]) -> Choice:
    return _CHOICE.validate_python(kept)


def pricing_in(kept: Mapping[str, Any]) -> Pricing:
    return PRICING.validate_python(kept)


def kept_choice(choice: Choice) -> dict[str, Any]:
    """As a row has it: what says nothing is left out."""
    return {name: [*value] if isinstance(value, tuple) else value for name, value in asdict(choice).items() if value}


def try_choice(*, connection: Connection, choice: Choice, actor: User) -> None:
    """Keep it as a draft, which changes nothing yet. Raises NotAllowed, Invalid."""
    require(actor, connection.seller)
    if wrong := wrong_choice(choice):
        raise Invalid(wrong)
    Selling.objects.update_or_create(connection=connection, defaults={"draft": kept_choice(choice)})


def forget_draft(*, connection: Connection, actor: User) -> None:
    require(actor, connection.seller)
    Selling.objects.filter(connection=connection).update(draft=None)


def mark(choice: Choice) -> str:
    """What a page sends back of a draft that it showed."""
    return sha256(_CHOICE.dump_json(choice)).hexdigest()[:32]


def begin_anew(row: Selling, *changed: str, now: datetime) -> None:
    """Write the rules that changed; what is here follows them from its first listing on."""
    row.revision, row.after, row.changed_at = row.revision + 1, 0, now
    row.save(update_fields=[*changed, "revision", "after", "changed_at"])


def use_draft(*, connection: Connection, seen: str, actor: User, now: datetime) -> None:
    """What was tried is in force: for what is read from now on at once, and in the background for what is here. Raises
    NotAllowed, Stale when the draft is not the one of which `seen` is the mark.
    """
    require(actor, connection.seller)
    with transaction.atomic():
        row = Selling.objects.select_for_update(no_key=True, of=("self",)).filter(connection=connection).first()
        draft = choice_in(row.draft) if row is not None and row.draft is not None else None
        if row is None or draft is None or mark(draft) != seen:
            raise Stale(SEEN_OTHERWISE)
        row.choice, row.draft = row.draft, None
        begin_anew(row, "choice", "draft", now=now)
        said = {"shop": connection.public_id, "choice": "; ".join(draft.sentences) or "everything"}
        settings_note(actor=actor, action="chose what to sell", subject=connection.name, now=now, detail=said)
