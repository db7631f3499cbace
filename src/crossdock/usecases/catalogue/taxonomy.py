"""The attributes and categories in force, and how staff define others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from crossdock.domain.finding.taxonomy import Kind, NotATaxonomy, Taxonomy, read_taxonomy
from crossdock.domain.roles import Right
from crossdock.store.models import Listing, Refill, User
from crossdock.store.models import Taxonomy as Row
from crossdock.store.models.catalogue import OFFERED
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

NONE = Taxonomy()
# A row never changes, so what was read of it once holds in this process.
_READ: dict[int, Taxonomy] = {}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs from what is in force. `listings` have what is taken away."""

    sentence: str
    listings: int = 0


def newest_row() -> QuerySet[Row, int]:
    """The key of the row in force, for who asks more along with it."""
    return Row.objects.order_by("-pk").values_list("pk", flat=True)[:1]


def in_force() -> Taxonomy:
    return read_row(list(newest_row()))


def read_row(found: Sequence[int]) -> Taxonomy:
    """Of what newest_row found."""
    if not found:
        return NONE
    (newest,) = found
    if newest not in _READ:
        _READ.clear()
        _READ[newest] = read_taxonomy(Row.objects.values_list("document", flat=True).get(pk=newest))
    return _READ[newest]


def document_in_force() -> dict[str, Any]:
    return Row.objects.order_by("-pk").values_list("document", flat=True).first() or {
        "attributes": [],
        "categories": [],
    }


def versions() -> QuerySet[Row]:
    """Newest first."""
    return Row.objects.select_related("made_by").defer("document").order_by("-pk")


def checked(document: Any) -> Taxonomy:
    """Raises Invalid with where it is wrong."""
    try:
        return read_taxonomy(document)
    except NotATaxonomy as wrong:
        raise Invalid(str(wrong)) from None


def define(*, document: Any, actor: User, now: datetime) -> bool:
    """In force from now on; listings are filled again in the background. False when it is in force already."""
    require(actor, None, "Only staff define attributes and categories.", Right.CATALOGUE)
    taxonomy = checked(document)
    with transaction.atomic():
        # Two who save at once would both compare with the same one.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('taxonomy'))")
        if document_in_force() == document:
            return False
        Row.objects.create(document=document, made_by=actor, made_at=now)
        Refill.objects.update_or_create(seller=None, defaults={"after": 0})
        note(
            actor=actor,
            action="defined attributes",
            subject="attributes and categories",
            now=now,
            detail={"attributes": len(taxonomy.attributes), "categories": len(taxonomy.categories)},
        )
    return True


def changes(before: Taxonomy, after: Taxonomy) -> list[Change]:
    """What saving would change; of what is taken away with how many live listings have it."""
    found = [
        Change(f"New attribute: {new.name}.") for key, new in after.attributes.items() if key not in before.attributes
    ]
    found += [
        Change(f"New category: {new.name}.") for key, new in after.categories.items() if key not in before.categories
    ]
    for key, old in before.attributes.items():
        new = after.attributes.get(key)
        if new is None:
            found.append(Change(f"No longer an attribute: {old.name}.", _having(key)))
            continue
        if new.kind is not old.kind:
            found.append(Change(f"{old.name} is of the kind {new.kind}, and was {old.kind}.", _having(key)))
        if new.name != old.name:
            found.append(Change(f"{old.name} is called {new.name}."))
        if new.kind is old.kind is Kind.CHOICE:
            added = [choice.name for choice in new.choices if old.choice(choice.key) is None]
            found += (
                [Change(f"{new.name}: new {', '.join(added[:10])}{' and more' if len(added) > 10 else ''}.")]
                if added
                else []
            )
            found += [
                Change(f"{new.name}: no longer {choice.name}.", _having(f"{key}={choice.key}"))
                for choice in old.choices
                if new.choice(choice.key) is None
            ]
    found += [
        Change(f"No longer a category: {old.name}.", _having(f"category={key}"))
        for key, old in before.categories.items()
        if key not in after.categories
    ]
    return found


def _having(fact: str) -> int:
    """Live listings with this fact (with any value, where only the attribute is named), at most 1,001 of them."""
    rows = Listing.objects.filter(OFFERED)
    return len(rows.filter(facts__contains=[fact]).values_list("pk", flat=True)[:1001])
