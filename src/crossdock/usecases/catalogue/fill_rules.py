"""A seller's rules that fill attributes, what each would change, and values set by hand."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from crossdock.domain.finding.filling import UNKNOWN, Rule, Source, value_of
from crossdock.domain.finding.taxonomy import CATEGORY, Kind, Taxonomy
from crossdock.domain.finding.words import folded
from crossdock.domain.team.roles import Duty
from crossdock.store.models import FillRule, Listing, Refill, Seller, User, Variant
from crossdock.usecases.catalogue.filling import BATCH, BETWEEN, Filler, as_rule, facts_of, fill_again, filler
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require

MOST_RULES, MOST_WORDS, SAMPLES = 500, 200, 5
# A preview looks at so many of the newest listings.
LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Preview:
    """Of `looked` listings (all, unless `more`) so many would change; `samples` are titles with the facts that come."""

    looked: int
    changed: int
    more: bool
    samples: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """What the seller's shop says, on so many of the listings that were looked at."""

    source: Source
    name: str
    word: str
    listings: int
    used: bool


def checked_rule(taxonomy: Taxonomy, rule: Rule) -> Rule:
    """With the key of its value. Raises Invalid."""
    if rule.attribute != CATEGORY and rule.attribute not in taxonomy.attributes:
        raise Invalid("Choose the attribute that the rule fills.")
    if rule.source is Source.OPTION and rule.attribute == CATEGORY:
        raise Invalid("A category is of the whole product: fill it from tags or types.")
    if rule.value and not rule.word:
        raise Invalid("Name the word of your shop that means this value.")
    if rule.word and not rule.value:
        raise Invalid("Choose the value that this word means.")
    if not rule.value:
        return rule
    value = value_of(taxonomy, rule.attribute, rule.value)
    if value.startswith(UNKNOWN):
        raise Invalid(f"“{rule.value}” is no value of this attribute.")
    return replace(rule, value=value)


def add_rule(*, seller: Seller, rule: Rule, actor: User, now: datetime) -> int:
    """Listings changed at once; where there are more than a batch, the rest follows in the background. The same rule
    twice is one.
    """
    require(actor, seller, duty=Duty.LISTINGS)
    rule = checked_rule(in_force(), rule)
    with transaction.atomic():
        if FillRule.objects.filter(seller=seller).count() >= MOST_RULES:
            raise Invalid(f"At most {MOST_RULES} rules. Remove one first.")
        _, made = FillRule.objects.get_or_create(
            seller=seller,
            source=rule.source,
            name=rule.name[:100],
            word=rule.word[:200],
            attribute=rule.attribute,
            value=rule.value,
        )
        if made:
            settings_note(
                actor=actor, action="made a filling rule", subject=seller.name, now=now, detail={"rule": in_words(rule)}
            )
        return _begin_again(seller, now=now)


def remove_rule(*, seller: Seller, pk: int, actor: User, now: datetime) -> int:
    """Raises Invalid when there is none. Returns what add_rule does."""
    require(actor, seller, duty=Duty.LISTINGS)
    with transaction.atomic():
        row = FillRule.objects.select_for_update().filter(seller=seller, pk=pk).first()
        if row is None:
            raise Invalid("This rule is no longer there.")
        row.delete()
        settings_note(
            actor=actor,
            action="removed a filling rule",
            subject=seller.name,
            now=now,
            detail={"rule": in_words(as_rule(row))},
        )
        return _begin_again(seller, now=now)


def _begin_again(seller: Seller, *, now: datetime) -> int:
    newest = list(Listing.objects.filter(seller=seller).order_by("pk").values_list("pk", flat=True)[: BATCH + 1])
    if not newest:
        return 0
    if len(newest) > BATCH:
        Refill.objects.update_or_create(seller=seller, defaults={"after": newest[BATCH - 1]})
    own = {seller.pk: filler(seller_id=seller.pk)}
    return fill_again(Listing.objects.filter(pk__in=newest[:BATCH]), own, now=now)


def in_words(rule: Rule) -> str:
    """For the log."""
    name = f" “{rule.name}”" if rule.name else ""
    return f"{rule.source}{name} {rule.word or '(any)'} -> {rule.attribute} {rule.value or '(as it says)'}"


def preview(*, seller: Seller, rule: Rule) -> Preview:
    """Nothing is written. Raises Invalid."""
    its = filler(seller_id=seller.pk)
    new = Filler(its.taxonomy, [*its.rules, checked_rule(its.taxonomy, rule)])
    changed, samples, looked = 0, list[tuple[str, tuple[str, ...]]](), 0
    found = list(_with_variants(seller, LOOKED_AT + 1))
    for listing, variants in found[:LOOKED_AT]:
        looked += 1
        before, after = facts_of(listing, variants, its), facts_of(listing, variants, new)
        if before != after:
            changed += 1
            if len(samples) < SAMPLES:
                samples.append((listing.title, tuple(fact for fact in after.listing if fact not in before.listing)))
    return Preview(looked, changed, len(found) > LOOKED_AT, tuple(samples))


def _with_variants(seller: Seller, most: int) -> Iterator[tuple[Listing, list[Variant]]]:
    rows = list(
        Listing.objects.filter(seller=seller).only("title", "said", "by_hand", "facts", "seller").order_by("-pk")[:most]
    )
    variants: dict[int, list[Variant]] = {}
    for variant in Variant.objects.filter(listing__in=rows, gone=False).only("title", "options", "listing", "position"):
        variants.setdefault(variant.listing_id, []).append(variant)
    for row in rows:
        yield row, variants.get(row.pk, [])


def words_of_shop(*, seller: Seller, rules: Sequence[Rule]) -> list[Word]:
    """What the newest listings' shops say, the most frequent first, and whether a rule has a look at it."""
    counted: Counter[tuple[Source, str, str]] = Counter()
    for listing, variants in _with_variants(seller, BATCH):
        if listing.connection_id is None:
            continue
        counted.update({(Source.TAG, "", word) for word in listing.said.get("tags", ())})
        counted.update({(Source.TYPE, "", word) for word in listing.said.get("types", ())})
        options = {(Source.OPTION, name, word) for variant in variants for name, word in _options(variant)}
        counted.update(options)
    return [Word(*said, many, _used(rules, *said)) for said, many in counted.most_common(MOST_WORDS)]


def _options(variant: Variant) -> list[tuple[str, str]]:
    named = [(name, value) for name, value in variant.options]
    return named or [("", part) for part in variant.title.split(BETWEEN) if part]


def _used(rules: Sequence[Rule], source: Source, name: str, word: str) -> bool:
    return any(
        rule.source is source
        and (not rule.name or folded(rule.name) == folded(name))
        and (not rule.word or folded(rule.word) == folded(word))
        for rule in rules
    )


def set_by_hand(*, listing: Listing, values: Mapping[str, Sequence[str]], actor: User, now: datetime) -> None:
    """`values` by attribute, the category's among them, replace all that was set by hand; an attribute without an entry
    follows the rules, and one with an empty list is left open. Raises Invalid.
    """
    require(actor, listing.seller, duty=Duty.LISTINGS)
    taxonomy = in_force()
    kept = {key: [_known(taxonomy, key, word) for word in words if word] for key, words in sorted(values.items())}
    with transaction.atomic():
        row = Listing.objects.select_for_update(no_key=True).get(pk=listing.pk)
        row.by_hand, row.updated_at = kept, now
        row.save(update_fields=["by_hand", "updated_at"])
        fill_again(Listing.objects.filter(pk=row.pk), {row.seller_id: filler(seller_id=row.seller_id)}, now=now)


def _known(taxonomy: Taxonomy, key: str, word: str) -> str:
    if key == CATEGORY:
        if word not in taxonomy.categories:
            raise Invalid("Choose a category from the list.")
        return word
    attribute = taxonomy.attributes.get(key)
    if attribute is None:
        raise Invalid("An attribute of this page is no longer defined. Load the page again.")
    value = value_of(taxonomy, key, word)
    if value.startswith(UNKNOWN):
        what = "a number" if attribute.kind is Kind.NUMBER else "one of its values"
        raise Invalid(f"{attribute.name}: “{word}” is not {what}.")
    return value
