"""Finding something to buy: search, lookup by id, one product with its options. Nothing here writes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from pydantic import BaseModel, Field, StrictStr

from crossdock.domain.agents.ucp import VERSION
from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.finding.choosing import Choice
from crossdock.domain.finding.taxonomy import CATEGORY, Taxonomy
from crossdock.store.models import ApiToken, Listing
from crossdock.usecases.catalogue.feed import Offered, named, offers_of
from crossdock.usecases.catalogue.finding import Wanted, find
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.web.agents.body import Whole, checked, read
from crossdock.web.agents.entrance import for_agents
from crossdock.web.agents.refusing import Refusal
from crossdock.web.agents.ucp.catalog_shape import Selected, options_out, product, selected_in, values_of
from crossdock.web.agents.ucp.profile import LOOKUP, SEARCH
from crossdock.web.agents.ucp.profiles import Terms, terms_of
from crossdock.web.agents.ucp.speech import UCP

USUAL, MOST = 10, 50
Text = Annotated[StrictStr, Field(max_length=300)]
Minor = Annotated[Whole, Field(ge=0, lt=10**15)]


class Price(BaseModel):
    min: Minor | None = None
    max: Minor | None = None


class Filters(BaseModel):
    categories: list[Text] = Field(default_factory=list, max_length=MOST)
    price: Price = Field(default_factory=Price)

    def takes(self, offer: Offered) -> bool:
        low, high, price = self.price.min, self.price.max, offer.variant.price_minor
        return (low is None or price >= low) and (high is None or price <= high)

    @property
    def priced(self) -> bool:
        return self.price.min is not None or self.price.max is not None


class Context(BaseModel):
    currency: StrictStr = ""


class _Asked(BaseModel):
    filters: Filters | None = None
    context: Context = Field(default_factory=Context)


class Page(BaseModel):
    cursor: Annotated[StrictStr, Field(max_length=60)] = ""
    limit: Annotated[Whole, Field(ge=1)] = USUAL


class SearchIn(_Asked):
    query: Annotated[StrictStr, Field(max_length=500)] = ""
    pagination: Page = Field(default_factory=Page)


class LookupIn(_Asked):
    ids: list[Text] = Field(min_length=1)


class Option(BaseModel):
    name: Text
    label: Text


class ProductIn(_Asked):
    id: Text
    selected: list[Option] = Field(default_factory=list, max_length=MOST)
    preferences: list[Text] = Field(default_factory=list, max_length=MOST)


@for_agents(UCP, change=False, methods=("POST",))
def search(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    terms = terms_of(request, agent, needs=SEARCH)
    asked, taxonomy, now = checked(SearchIn, read(request.body)), in_force(), timezone.now()
    if not asked.query.strip() and not (asked.filters and (asked.filters.categories or asked.filters.priced)):
        raise Refusal(400, "invalid", "Send a query, or filters by category or price.", param="$.query")
    wanted, filters, messages = _wanted(asked, taxonomy)
    if wanted is None:
        return _answer(terms, SEARCH, products=[], pagination={"has_next_page": False}, messages=messages)
    found = find(wanted=wanted, now=now, after=asked.pagination.cursor, limit=min(asked.pagination.limit, MOST))
    if found.similar and found.listings:
        messages.append(_info("similar", "Nothing has these words; this is written like them."))
    rows = [(listing, list(filter(filters.takes, offers))) for listing, offers in offers_of(found.listings, now=now)]
    page = {"has_next_page": bool(found.after), **({"cursor": found.after} if found.after else {})}
    shown = [product(listing, offers, taxonomy) for listing, offers in rows if offers]
    return _answer(terms, SEARCH, products=shown, pagination=page, messages=messages)


@for_agents(UCP, change=False, methods=("POST",))
def lookup(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    """Each product once, with the variants that were named, or the first that can be bought."""
    terms = terms_of(request, agent, needs=LOOKUP)
    asked, taxonomy = checked(LookupIn, read(request.body)), in_force()
    ids = list(dict.fromkeys(asked.ids))
    if len(ids) > MOST:
        raise Refusal(400, "request_too_large", f"At most {MOST} ids at once.", param="$.ids")
    shown, met = [], set[str]()
    for listing, offers in named(ids, now=timezone.now()):
        offers = _fitting(listing, offers, asked, taxonomy)
        inputs: dict[int, list[dict[str, str]]] = {}
        for offer in offers:
            if offer.variant.public_id in ids:
                inputs[offer.variant.pk] = [{"id": offer.variant.public_id, "match": "exact"}]
        if listing.public_id in ids and offers:
            first = inputs.setdefault(_featured(offers).variant.pk, [])
            first.append({"id": listing.public_id, "match": "featured"})
        met |= {one["id"] for each in inputs.values() for one in each}
        if named_ones := [offer for offer in offers if offer.variant.pk in inputs]:
            said = product(listing, named_ones, taxonomy)
            for variant, offer in zip(said["variants"], named_ones, strict=True):
                variant["inputs"] = inputs[offer.variant.pk]
            shown.append(said)
    messages = [
        _info("not_found", f"{id} is not for sale here.", f"$.ids[{asked.ids.index(id)}]")
        for id in ids
        if id not in met
    ]
    return _answer(terms, LOOKUP, products=shown, messages=messages)


@for_agents(UCP, change=False, methods=("POST",))
def one_product(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    """With what can still be chosen. A variant's own id says its options, whatever else was selected."""
    terms = terms_of(request, agent, needs=LOOKUP)
    asked, taxonomy = checked(ProductIn, read(request.body)), in_force()
    found = next(iter(named([asked.id], now=timezone.now())), None)
    offers = _fitting(*found, asked, taxonomy) if found else []
    own = next((offer for offer in offers if offer.variant.public_id == asked.id), None)
    if found is None or not offers or (own is None and found[0].public_id != asked.id):
        raise Refusal(404, "not_found", "This is not for sale here.", param="$.id", outcome=True)
    if own is not None:
        selected = selected_in(own)
    elif asked.selected:
        selected = _relaxed({one.name: one.label for one in asked.selected}, asked.preferences, offers)
    else:
        selected = selected_in(_featured(offers))
    fitting = [offer for offer in offers if _has(offer, selected)]
    first = own or _featured(fitting)
    said = product(found[0], [first, *(offer for offer in fitting if offer is not first)], taxonomy)
    if values := values_of(offers):
        said["options"] = [
            {"name": name, "values": [_signal(offers, selected, name, value) for value in each]}
            for name, each in values.items()
        ]
        said["selected"] = options_out(selected)
    return _answer(terms, LOOKUP, product=said, messages=[])


def _answer(terms: Terms, root: str, **said: Any) -> HttpResponse:
    ucp = {"version": VERSION, "status": "success", "capabilities": terms.of(root)}
    return JsonResponse({"ucp": ucp, **said})


def _info(code: str, words: str, path: str = "") -> dict[str, str]:
    return {"type": "info", "code": code, "content": words, **({"path": path} if path else {})}


def _wanted(asked: SearchIn, taxonomy: Taxonomy) -> tuple[Wanted | None, Filters, list[dict[str, str]]]:
    """None where a category is asked for that is none here; prices without a currency are of nothing, so they narrow
    nothing, and a message says so.
    """
    filters, messages = asked.filters or Filters(), list[dict[str, str]]()
    currency = asked.context.currency.upper()
    if filters.priced and currency not in CURRENCIES:
        messages.append(
            _info("price_filter_ignored", "Send context.currency: prices are of a currency.", "$.filters.price")
        )
        filters = filters.model_copy(update={"price": Price()})
    keys = _keys(filters.categories, taxonomy)
    if filters.categories and not keys:
        return None, filters, messages
    return (
        Wanted(
            words=asked.query,
            currency=currency if filters.priced else "",
            low=filters.price.min,
            high=filters.price.max,
            choices=(Choice(CATEGORY, keys),) if keys else (),
        ),
        filters,
        messages,
    )


def _keys(names: Iterable[str], taxonomy: Taxonomy) -> tuple[str, ...]:
    """Of categories by the names that products carry."""
    wanted = set(names)
    return tuple(key for key, one in taxonomy.categories.items() if one.name in wanted)


def _fitting(listing: Listing, offers: Sequence[Offered], asked: _Asked, taxonomy: Taxonomy) -> list[Offered]:
    filters = asked.filters or Filters()
    if filters.priced and asked.context.currency.upper() == listing.currency:
        offers = [offer for offer in offers if filters.takes(offer)]
    if filters.categories and not any(
        f"{CATEGORY}={key}" in listing.facts for key in _keys(filters.categories, taxonomy)
    ):
        return []
    return list(offers)


def _featured(offers: Sequence[Offered]) -> Offered:
    """The first that can be bought, else the first."""
    return next((offer for offer in offers if offer.open and offer.left), offers[0])


def _has(offer: Offered, selected: Mapping[str, str]) -> bool:
    own = selected_in(offer)
    return all(own.get(name) == value for name, value in selected.items())


def _relaxed(selected: Selected, preferences: Sequence[str], offers: Sequence[Offered]) -> Selected:
    """Without what no offer has together: the least preferred goes first, and what is not preferred before that."""
    ranked = [name for name in preferences if name in selected]
    left = [*ranked, *(name for name in selected if name not in ranked)]
    while left and not any(_has(offer, {name: selected[name] for name in left}) for offer in offers):
        left.pop()
    return {name: selected[name] for name in selected if name in left}


def _signal(offers: Sequence[Offered], selected: Mapping[str, str], name: str, value: str) -> dict[str, Any]:
    there = [offer for offer in offers if _has(offer, {**selected, name: value})]
    return {"label": value, "exists": bool(there), "available": any(offer.open and offer.left for offer in there)}
