"""2xx: products. The whole list, then only changes, and nothing lost in between."""

from crossdock.domain.capability import Capability, Word
from crossdock.domain.events import ProductGone, ShopProduct
from crossdock.kit.conformance.stage import NeedsSimulator, Stage, understood_products
from crossdock.kit.conformance.suite import NotConforming, expect, scenario
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Describes, Words

SEEN = Capability.PRODUCTS_SEEN
MANY = 260
BIGGEST_PAGE = 250
QUIET_PAGES = 3


@scenario(201, SEEN, title="A new product is read with variants, SKUs, prices in the shop's currency and counts")
async def whole(stage: Stage) -> None:
    refs = await stage.product(3, 0, 7, price="1234.56", title=f"Æther “Foil” {stage.word} 100% +1")
    product = _live(await stage.connector.product(stage.shop, refs[0].product_id))
    expect(product.title == f"Æther “Foil” {stage.word} 100% +1", f"the title became {product.title!r}")
    expect(product.product_id == refs[0].product_id, f"the id is {product.product_id!r}")
    expect(
        {item.variant_id for item in product.variants} == {ref.variant_id for ref in refs},
        f"variants: {product.variants}",
    )
    expect(len({item.sku for item in product.variants}) == 3, f"SKUs: {[item.sku for item in product.variants]}")
    prices = {(str(item.price), item.price.currency) for item in product.variants}
    expect(prices == {("1234.56", stage.proof.currency)}, f"prices: {prices}")
    counts = {item.variant_id: item.count for item in product.variants if item.count is not None}
    expected = {ref.variant_id: count for ref, count in zip(refs, (3, 0, 7), strict=True)}
    expect(counts.items() <= expected.items(), f"counts: {counts}, in the shop {expected}")
    expect(product.active, "a product on sale is read as not active")


@scenario(202, SEEN, title="The full list holds every product, page by page", simulated=True)
async def all_pages(stage: Stage) -> None:
    made = {(await stage.product(1))[0].product_id for _ in range(MANY)}
    seen, cursor, pages = set[str](), "", 0
    while pages < MANY:
        page = await stage.connector.products(stage.shop, cursor)
        expect(len(page.items) <= BIGGEST_PAGE, f"a page of {len(page.items)} products")
        expect(page.cursor != cursor or not page.more, "the cursor stands still")
        seen |= {item.product_id for item in understood_products(page.items)}
        cursor, pages = page.cursor, pages + 1
        if not page.more:
            break
    expect(made <= seen, f"{len(made - seen)} of {MANY} products were never listed")
    expect(pages >= 2, f"{MANY} products came in one page")


@scenario(203, SEEN, title="A changed price is found by asking only for changes")
async def repriced(stage: Stage) -> None:
    (variant,) = await stage.product(4)
    _, cursor = await stage.all_products()
    await stage.hand.reprice(variant, "77.70")
    await _changed(stage, cursor, variant, "77.70")


@scenario(204, SEEN, title="A new product is found by asking only for changes")
async def added(stage: Stage) -> None:
    _, cursor = await stage.all_products()
    (variant,) = await stage.product(4, price="3.10")
    await _changed(stage, cursor, variant, "3.10")


@scenario(205, SEEN, title="A deleted product is gone when looked at, and the others are not")
async def deleted(stage: Stage) -> None:
    (gone,), (stays,) = await stage.product(1), await stage.product(1)
    await stage.hand.delete_product(gone.product_id)
    answer = await stage.connector.product(stage.shop, gone.product_id)
    dead = isinstance(answer, ProductGone) or not answer.active
    expect(dead, f"the deleted product is read as {answer}")
    expect(
        isinstance(await stage.connector.product(stage.shop, stays.product_id), ShopProduct),
        "a product that stays is read as gone",
    )


@scenario(206, SEEN, title="A product changed while we turn the pages is not lost", simulated=True)
async def changed_between(stage: Stage) -> None:
    _, begin = await stage.all_products()
    made = [(await stage.product(1))[0] for _ in range(MANY)]
    first = await stage.connector.products(stage.shop, begin)
    first_items = understood_products(first.items)
    early = {item.product_id for item in first_items}
    seen_already = next(ref for ref in made if ref.product_id in early)
    still_to_come = next(ref for ref in made if ref.product_id not in early)
    for ref in (seen_already, still_to_come):
        await stage.hand.reprice(ref, "55.50")
    rest, cursor = await stage.all_products(first.cursor)
    latest = {item.product_id: item for item in (*first_items, *rest)}
    expect({ref.product_id for ref in made} <= latest.keys(), "products were skipped while the list moved")

    async def both() -> bool:
        nonlocal cursor
        items, cursor = await stage.all_products(cursor)
        latest.update({item.product_id: item for item in items})
        return all(_price(latest[ref.product_id]) == "55.50" for ref in (seen_already, still_to_come))

    await stage.eventually(both, lambda: "both changed prices")


@scenario(207, SEEN, title="A product with one variant and no options has exactly one variant that can be ordered")
async def simple(stage: Stage) -> None:
    (variant,) = await stage.product(2)
    product = _live(await stage.connector.product(stage.shop, variant.product_id))
    expect([item.variant_id for item in product.variants] == [variant.variant_id], f"variants: {product.variants}")


@scenario(208, SEEN, title="A sale in the shop moves no price, and the list still ends")
async def quiet(stage: Stage) -> None:
    (variant,) = await stage.product(4, price="8.80")
    _, cursor = await stage.all_products()
    await stage.hand.sell(variant, 1)
    items, _ = await stage.all_products(cursor)
    prices = {_price(item) for item in items if item.product_id == variant.product_id}
    expect(prices <= {"8.80"}, f"prices read after a sale: {prices}")


@scenario(209, SEEN, title="Two variants with one SKU are two variants, where the shop has such")
async def one_sku_twice(stage: Stage) -> None:
    rows = [(f"{stage.word}-TWICE", "5.00", 2), (f"{stage.word}-TWICE", "6.00", 3)]
    try:
        refs = await stage.hand.add_product(f"Twice {stage.word}", rows)
    except Exception:  # this shop's admin does not take it, whatever it says
        return
    product = _live(await stage.connector.product(stage.shop, refs[0].product_id))
    prices = {item.variant_id: str(item.price) for item in product.variants}
    expect(prices == {refs[0].variant_id: "5.00", refs[1].variant_id: "6.00"}, f"variants: {product.variants}")


@scenario(210, SEEN, title="Where nothing changed a reading ends within three pages, however often it is asked for")
async def nothing_new(stage: Stage) -> None:
    await stage.product(1)
    _, cursor = await stage.all_products()
    for _ in range(3):
        for _ in range(QUIET_PAGES):
            page = await stage.connector.products(stage.shop, cursor)
            expect(bool(page.cursor), "the cursor is lost, so the next reading begins from the start")
            cursor = page.cursor
            if not page.more:
                break
        else:
            expect(False, f"there is still more behind {cursor!r}")


@scenario(
    211,
    SEEN,
    title="Options, tags, types and fields are handed over by name, those that the platform is said to have",
    simulated=True,
)
async def by_name(stage: Stage) -> None:
    if not isinstance(stage.hand, Describes):
        raise NeedsSimulator("It needs a hand that writes tags and options.")
    words = Words(
        "Zustand “Kärte”",
        ("Near Mint", "Lightly Played, 1/2"),
        properties=(("Language", "English"), ("Set & number", "HT-06 #7")),
        tags=("graded", "Größe 9"),
        types=("Singles",),
    )
    refs = await stage.product(1, 2)
    _, cursor = await stage.all_products()
    await stage.hand.describe(refs[0].product_id, words)
    listed: dict[str, ShopProduct | ProductGone] = {}

    async def look() -> bool:
        nonlocal cursor
        items, cursor = await stage.all_products(cursor)
        listed.update({item.product_id: item for item in items})
        return refs[0].product_id in listed

    await stage.eventually(look, lambda: "the product among the changes")
    one = await stage.connector.product(stage.shop, refs[0].product_id)
    for product in (_live(listed[refs[0].product_id]), _live(one)):
        _said(product, words, stage.manifest.words, [ref.variant_id for ref in refs])


def _said(product: ShopProduct, words: Words, claimed: tuple[Word, ...], variants: list[str]) -> None:
    """What is claimed is there as it was written, and nothing of what is not."""
    own = {item.variant_id: item.options for item in product.variants}
    seen = {
        Word.OPTIONS: tuple(own[variant] for variant in variants),
        Word.PROPERTIES: tuple(sorted(product.properties)),
        Word.TAGS: tuple(sorted(product.tags)),
        Word.TYPES: product.types,
    }
    written = {
        Word.OPTIONS: tuple(((words.option, value),) for value in words.values),
        Word.PROPERTIES: tuple(sorted(words.properties)),
        Word.TAGS: tuple(sorted(words.tags)),
        Word.TYPES: words.types,
    }
    for word in Word:
        nothing = ((),) * len(variants) if word is Word.OPTIONS else ()
        wanted = written[word] if word in claimed else nothing
        expect(seen[word] == wanted, f"{word}: {seen[word]}, in the shop {written[word]}, claimed: {word in claimed}")


def _live(product: ShopProduct | ProductGone) -> ShopProduct:
    if not isinstance(product, ShopProduct):
        raise NotConforming(f"the product is read as {product}")
    return product


def _price(product: ShopProduct | ProductGone) -> str:
    return str(_live(product).variants[0].price)


async def _changed(stage: Stage, cursor: str, variant: VariantRef, price: str) -> None:
    """Polling on from `cursor` shows the product at this price."""
    seen: list[str] = []

    async def look() -> bool:
        nonlocal cursor
        items, cursor = await stage.all_products(cursor)
        seen.extend(_price(item) for item in items if item.product_id == variant.product_id)
        return seen[-1:] == [price]

    await stage.eventually(look, lambda: f"the product at {price} among the changes (seen: {seen})")
