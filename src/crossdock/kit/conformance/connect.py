"""1xx: connecting.

A proof that only reads, dead credentials that name themselves, and a form that says what to type.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from crossdock.domain.capability import MONEY_SETTINGS, Capability, No
from crossdock.domain.commands import SignInAgain
from crossdock.domain.currencies import CURRENCIES
from crossdock.kit.conformance.stage import NeedsSimulator, Stage
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import Looks, Proof, Shop
from crossdock.kit.errors import AuthDead, BadInput, Outside
from crossdock.kit.hand import SetsCurrency


@scenario(101, title="The connection test is all right, names the shop and its currency, and changes nothing")
async def proves(stage: Stage) -> None:
    before = (list(await stage.hand.orders()), list(await stage.hand.products()))
    proof = await stage.connector.prove(stage.shop)
    expect(proof.ok, f"checks that are not ok: {[check for check in proof.checks if not check.ok]}")
    expect(bool(proof.checks), "the proof checked nothing")
    expect(proof.currency in CURRENCIES, f"the currency is {proof.currency!r}")
    expect(bool(proof.shop_id), "the proof gives no shop_id")
    after = (list(await stage.hand.orders()), list(await stage.hand.products()))
    expect(before == after, "the connection test changed the shop")


@scenario(102, title="Connecting the same shop again gives the same shop_id", live="reads")
async def same_shop(stage: Stage) -> None:
    first = stage.proof.shop_id
    await stage.connect()
    expect(stage.proof.shop_id == first, f"first {first!r}, then {stage.proof.shop_id!r}")


@scenario(103, title="Wrong keys are named as such, not taken for a bad network")
async def wrong_keys(stage: Stage) -> None:
    wrong = replace(stage.shop, secrets={name: _spoiled(value) for name, value in stage.shop.secrets.items()})
    await _expect_refusal(stage, wrong)


@scenario(104, title="After the seller took the rights away, reads and writes say: sign in again", simulated=True)
async def revoked(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    stage.dial.revoked = True
    await _expect_refusal(stage, stage.shop)
    try:
        await stage.connector.product(stage.shop, variant.product_id)
    except AuthDead:
        pass
    else:
        expect(False, "a read worked with dead credentials")
    outcome = await stage.connector.create(stage.shop, command)
    expect(isinstance(outcome, SignInAgain), f"creating an order gave {outcome}")
    expect(not await stage.standing(command), "an order stands although the rights were gone")
    stage.dial.revoked = False
    expect(await stage.hand.count(variant) == 5, "the count changed")


@scenario(
    105,
    title="An address that is none is refused with a sentence, and http only where the operator allows it",
    live="reads",
)
async def addresses(stage: Stage) -> None:
    _, form = stage.site.seller_form()
    host = urlsplit(stage.site.address).netloc
    names = [name for name, value in form.items() if host in value]
    expect(len(names) == 1, f"which field holds the address? {names}")
    canonical = stage.connector.address(form, local=True)
    expect(not canonical.endswith("/"), f"{canonical!r} ends with a slash")
    expect(
        stage.connector.address({**form, names[0]: canonical}, local=True) == canonical,
        "the canonical address changes when typed",
    )
    for junk in (
        "",
        "   ",
        "javascript:alert(1)",
        "ftp://shop.example",
        "https://user:pass@shop.example",
        "https://",
        "shop example",
    ):
        _expect_bad_input(stage, {**form, names[0]: junk}, local=True, what=repr(junk))
    _expect_bad_input(
        stage, {**form, names[0]: f"http://{host}"}, local=False, what=f"http://{host} where local is off"
    )


@scenario(106, title="Every way and every no is explained in words", live="reads")
async def words(stage: Stage) -> None:
    manifest = stage.manifest
    expect(bool(manifest.ways), "there is no way to connect")
    expect(len({way.name for way in manifest.ways}) == len(manifest.ways), "two ways have one name")
    expect(
        stage.site.seller_form()[0] in {way.name for way in manifest.ways},
        "the seller's form names no way of the manifest",
    )
    for way in manifest.ways:
        expect(bool(way.label and (way.steps or way.redirect)), f"the way {way.name} has no steps to follow")
    for capability, answer in manifest.answers.items():
        sentence = manifest.sentence(capability)
        expect(len(sentence) >= 20 and sentence.rstrip()[-1] in ".!)", f"{capability}: {sentence!r} is no sentence")
        expect(not isinstance(answer, No) or bool(answer.sentence), f"{capability} is a no without a word")
    expect(bool(manifest.evidence), "the manifest has no evidence")


@scenario(107, title="A required field left empty is asked for by name", live="reads")
async def empty_fields(stage: Stage) -> None:
    name, form = stage.site.seller_form()
    way = next(way for way in stage.manifest.ways if way.name == name)
    for item in (item for item in way.fields if item.required):
        sentence = await _sentence_of(stage, name, {**form, item.name: ""})
        expect(bool(sentence), f"leaving {item.name} empty was not refused")


@scenario(108, title="Renewed secrets work, and renewing twice after a lost answer works too", simulated=True)
async def renews(stage: Stage) -> None:
    if stage.connector.renew_at(stage.shop) is None:
        return
    stage.dial.once("lost_reply")
    try:
        kept: Mapping[str, str] = await stage.connector.renew(stage.shop)
    except Outside:
        kept = await stage.connector.renew(stage.shop)
    expect(kept.keys() >= stage.shop.secrets.keys(), f"secrets were lost: {stage.shop.secrets.keys() - kept.keys()}")
    renewed = replace(stage.shop, secrets=kept)
    expect((await stage.connector.prove(renewed)).ok, "the renewed secrets do not work")
    again = stage.connector.renew_at(renewed)
    expect(again is not None and again > renewed.now(), f"the renewed secrets have to be renewed at {again}")


@scenario(
    109, Capability.SIGN_IN_REDIRECT, title="Signing in at the shop comes back with secrets that work", simulated=True
)
async def signs_in(stage: Stage) -> None:
    ways = [way for way in stage.manifest.ways if way.redirect]
    expect(bool(ways), "the manifest says yes and has no such way")
    _, form = stage.site.seller_form()
    for way in ways:
        shop, state = stage.empty_shop(), f"state-{stage.word}-{way.name}"
        back = "http://127.0.0.1:9/connect"
        redirect = stage.connector.begin(shop, way=way.name, form=form, state=state, return_url=back, callback_url=back)
        expect(state in redirect.url, f"the one-time state is not in {redirect.url}")
        params = await stage.sandbox.approve(redirect.url)
        kept = await stage.connector.finish(shop, way=way.name, form=form, params=params, keep=redirect.keep)
        expect((await stage.connector.prove(replace(shop, secrets=kept))).ok, f"the secrets of {way.name} do not work")


@scenario(
    111,
    Capability.ORDER_CREATE,
    title="After the shop changed its currency, an order stands in the new one by what a look takes over",
    simulated=True,
)
async def other_currency(stage: Stage) -> None:
    hand, connector, before = stage.hand, stage.connector, stage.shop.settings
    (variant,) = await stage.product(5)
    if not isinstance(hand, SetsCurrency):
        raise NeedsSimulator("It changes the shop's currency, which this seller's hand cannot (kit.hand.SetsCurrency).")
    await hand.change_currency("EUR")
    found = (await (connector.look if isinstance(connector, Looks) else connector.prove)(stage.shop)).settings
    changed = {name for name in found if found[name] != before.get(name)}
    taken = {name: found[name] for name in (*MONEY_SETTINGS, "countries", *stage.manifest.follows) if name in found}
    expect(found.get("currency") == "EUR", f"the look says {dict(found)}")
    expect(changed <= taken.keys(), f"nothing takes over {changed - taken.keys()} (Manifest.follows)")
    stage.shop, stage.proof = replace(stage.shop, settings={**before, **taken}), replace(stage.proof, currency="EUR")
    done = await stage.placed(stage.order((variant, 2)))
    order = await connector.order(stage.shop, done.shop_id)
    expect(order.total.currency == "EUR", f"it stands there at {order.total!r}")
    ours = stage.manifest.can(Capability.ORDER_AT_OUR_PRICE)
    expect(not ours or str(order.total) == "19.80", f"it stands there at {order.total!r}")


def _spoiled(value: str) -> str:
    """A value of the same shape that is wrong: its letters and digits moved on by one."""
    return "".join(chr(ord(c) + 1) if c.isalnum() and c not in "9zZ" else c for c in value) or "wrong"


async def _expect_refusal(stage: Stage, shop: Shop) -> None:
    try:
        proof: Proof = await stage.connector.prove(shop)
    except AuthDead as error:
        expect(bool(str(error)), "dead credentials without a word")
        return
    failed = [check for check in proof.checks if not check.ok]
    expect(bool(failed), "the connection test is all right with dead credentials")
    expect(all(check.sentence for check in failed), f"a failed check says nothing: {failed}")


def _expect_bad_input(stage: Stage, form: Mapping[str, str], *, local: bool, what: str) -> None:
    try:
        got = stage.connector.address(form, local=local)
    except BadInput as error:
        expect(len(str(error)) > 10, f"{what} is refused without a sentence")
        return
    expect(False, f"{what} was taken for the address {got!r}")


async def _sentence_of(stage: Stage, way: str, form: Mapping[str, str]) -> str:
    """What the connector says to a form that it cannot use, before or at finishing; "" when it says nothing."""
    shop = stage.empty_shop()
    try:
        stage.connector.address(form, local=True)
        await stage.connector.finish(shop, way=way, form=form, params={}, keep={})
    except BadInput as error:
        return str(error)
    return ""
