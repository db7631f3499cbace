"""The Gateway protocol over Stripe. A payment is begun (which charges nobody), then confirmed; so whoever lost the
answer can find the payment, and shut it.

Beginning again under the same key gives the same payment for at least 24 hours, strongly consistent; search is neither
needed nor trusted before that. See docs/decisions/0006-payments.md for what Stripe says about it, and README.md here
for what nobody has checked against a real account.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.domain.commands import Done, Later, Outcome, Refused, SignInAgain, Why
from crossdock.domain.events import HookNews
from crossdock.domain.payments import Intent, Standing
from crossdock.domain.values import Money
from crossdock.kit.connector import Hook
from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Outside, outcome_of
from crossdock.kit.gateway import Answer, Captured, CardForm, Check, Choice, Declined, NeverSeen, NotKnown
from crossdock.payments.stripe import hooks, reading, words
from crossdock.payments.stripe.amounts import NotTaken, to_stripe
from crossdock.payments.stripe.client import NO_LIBRARY, Client, Refusal, Spoiled, installed

if TYPE_CHECKING:
    import stripe

# Stripe keeps a key "at least" 24 hours; an hour less, since our clocks are not one.
KEY_LASTS = timedelta(hours=23)
SCRIPT = "https://js.stripe.com/v3/"
ALLOW: Mapping[str, tuple[str, ...]] = {
    "script_src": ("https://js.stripe.com",),
    "frame_src": ("https://js.stripe.com", "https://hooks.stripe.com"),
    "connect_src": ("https://api.stripe.com",),
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StripeGateway:
    """Without keys it can only say what is missing."""

    name = "stripe"
    label = "Card"

    def __init__(self, keys: Mapping[str, str] | None = None, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._keys = dict(keys or {})
        self._clock = clock
        self._client = Client(self._keys.get("secret_key", ""), self._keys.get("api_base", ""))

    def opened(self, folder: Path, keys: Mapping[str, str]) -> "StripeGateway":
        return StripeGateway(keys)

    @property
    def _testing(self) -> bool:
        return "_test_" in self._keys.get("secret_key", "")

    def missing(self) -> str:
        if not installed():
            return NO_LIBRARY
        if not self._keys.get("secret_key"):
            return (
                "CROSSDOCK_STRIPE_SECRET_KEY is not set: copy the secret key from Stripe's dashboard, under Developers,"
                " API keys."
            )
        if not self._testing and not self._keys.get("publishable_key"):
            return "CROSSDOCK_STRIPE_PUBLISHABLE_KEY is not set: without it nobody can type a card."
        return ""

    def choices(self) -> tuple[Choice, ...]:
        return words.TEST_CARDS if self._testing else ()

    def card_form(self) -> CardForm | None:
        key = self._keys.get("publishable_key", "")
        return CardForm(SCRIPT, key, ALLOW) if key else None

    def accepts(self, token: str) -> bool:
        """A one-time id that Stripe's script made on our page, or a test card with a test key."""
        if token.startswith("pm_card_"):
            return any(token == choice.token for choice in self.choices())
        return token.startswith("pm_") and token.isascii() and token.replace("_", "").isalnum() and len(token) <= 100

    async def capture(self, intent: Intent, token: str, *, back_url: str = "") -> Answer:
        try:
            ref = await self._find(intent)
        except NotTaken as no:
            return Declined(str(no))
        except Refusal as no:
            return Declined(f"The card could not be charged: {no.sentence}")
        except AuthDead:
            # Without a begun payment there is nothing that this or any other call could have confirmed.
            return Declined(words.CLOSED)
        except Outside:
            return NotKnown(words.LOST)
        if ref is None:
            return Declined(words.NOT_BEGUN)
        try:
            return reading.answer(await self._client.confirm(ref, intent=intent.id, token=token, back_url=back_url))
        except Refusal as no:
            if no.card:
                return Declined(words.declined(no.code, no.decline_code))
            return await self._decided(intent, ref, no)
        except Outside:
            return NotKnown(words.LOST)

    async def _decided(self, intent: Intent, ref: str, no: Refusal) -> Answer:
        """Not confirmed by this call: either an earlier one did it, or nobody may any more."""
        answer = await self._state(ref)
        if isinstance(answer, NeverSeen):
            shut = await self._shut(ref)
            if isinstance(shut, NeverSeen):
                sentence = f"The card could not be charged: {no.sentence}" if no.code == "resource_missing" else ""
                return Declined(sentence or words.VOIDED)
            return shut
        return answer

    async def look_up(self, intent: Intent) -> Answer:
        ref = await self._seek(intent)
        return await self._state(ref) if isinstance(ref, str) else ref

    async def void(self, intent: Intent) -> Captured | NeverSeen | NotKnown:
        ref = await self._seek(intent)
        return await self._shut(ref) if isinstance(ref, str) else ref

    async def _shut(self, ref: str) -> Captured | NeverSeen | NotKnown:
        try:
            pi = await self._client.cancel(ref)
        except Refusal:
            # It is too late to cancel, or it was cancelled before.
            answer = await self._state(ref)
            return answer if isinstance(answer, Captured | NeverSeen) else NotKnown(words.SLOW)
        except Outside:
            return NotKnown(words.LOST)
        return NeverSeen() if pi.status == "canceled" else NotKnown(words.SLOW)

    async def _state(self, ref: str) -> Answer:
        try:
            return reading.answer(await self._client.retrieve(ref))
        except (Refusal, Outside):
            return NotKnown(words.LOST)

    async def _seek(self, intent: Intent) -> str | NeverSeen | NotKnown:
        try:
            return await self._find(intent) or NeverSeen()
        except NotTaken:
            return NeverSeen()
        except Refusal as no:
            if no.code != "idempotency_error":
                # Refused before it began, so there is nothing that could have been confirmed.
                return NeverSeen()
        except Outside:
            return NotKnown(words.LOST)
        # It did begin, in other words: an older version of this program asked for it.
        try:
            return await self._searched(intent) or NotKnown(words.LOST)
        except Outside:
            return NotKnown(words.LOST)

    async def _find(self, intent: Intent) -> str | None:
        """Stripe's id of this payment; None when there is none that anybody could have confirmed.

        Raises NotTaken, Refusal, Outside.
        """
        if intent.ref:
            return intent.ref
        if self._clock() - intent.begun_at < KEY_LASTS:
            try:
                minor = to_stripe(intent.amount)
                return (await self._client.create(intent=intent.id, minor=minor, currency=intent.amount.currency)).id
            except Spoiled:
                return None
        # Beginning again would make a second payment now; by this time the first one is long in the search.
        return await self._searched(intent)

    async def _searched(self, intent: Intent) -> str | None:
        try:
            found = await self._client.search(intent.id)
        except Refusal as no:
            # Merchants in India have no search; that is no proof of anything.
            raise NoAnswer(f"Stripe does not search: {no.sentence}") from None
        found.sort(key=lambda pi: (pi.status != "succeeded", pi.created))
        return found[0].id if found else None

    async def refund(self, intent: Intent, amount: Money, key: str) -> Outcome:
        """Looks first: our key is in the refund's metadata, which outlives Stripe's memory of idempotency keys."""
        if amount.currency != intent.amount.currency or amount.minor <= 0:
            return Refused(Why.INVALID, "The bank refunds in the payment's own currency, and more than nothing.")
        try:
            minor = to_stripe(amount)
            ref = await self._find(intent)
            if ref is None:
                return Refused(Why.NOT_FOUND, "Stripe knows no such payment.")
            for made in await self._client.refunds({"payment_intent": ref}):
                if reading.key_of(made) == key:
                    return _refunded(made, minor, already=True)
            return _refunded(await self._client.refund(ref, minor=minor, intent=intent.id, key=key), minor)
        except NotTaken as no:
            return Refused(Why.INVALID, str(no))
        except Refusal as no:
            why = Why.CONFLICT if no.code == "idempotency_error" else Why.INVALID
            return Refused(why, f"Stripe does not refund it: {no.sentence}")
        except AuthDead as error:
            return SignInAgain(str(error))
        except Outside as error:
            return outcome_of(error)

    async def read(self, intent: Intent) -> Standing:
        ref = intent.ref or await self._find(intent)
        if ref is None:
            raise Missing("Stripe knows no such payment.")
        query = {"payment_intent": ref}
        refunds, disputes = await self._client.refunds(query), await self._client.disputes(query)
        warnings = map(reading.warning, await self._warnings(query))
        return Standing(tuple(map(reading.refund, refunds)), tuple(map(reading.dispute, disputes)), tuple(warnings))

    async def changed(self, since: datetime) -> tuple[str, ...]:
        query = {"created": {"gte": int(since.timestamp())}}
        refs = [reading.ref_of(made) for made in await self._client.refunds(query)]
        refs += [reading.ref_of(made) for made in await self._client.disputes(query)]
        refs += [reading.ref_of(made) for made in await self._warnings(query)]
        return tuple(dict.fromkeys(ref for ref in refs if ref))

    async def _warnings(self, query: Mapping[str, object]) -> "list[stripe.radar.EarlyFraudWarning]":
        """None for a restricted key that may read payments and not Radar: refunds and disputes count all the same."""
        try:
            return await self._client.warnings(query)
        except (AuthDead, Refusal):
            return []

    def verify(self, hook: Hook, now: datetime) -> None:
        hooks.verify(hook, self._keys.get("webhook_secret", ""), now)

    def news(self, hook: Hook) -> HookNews:
        return hooks.news(hook)

    async def check(self) -> tuple[Check, ...]:
        if sentence := self.missing():
            return (Check(False, sentence),)
        try:
            await self._client.ping()
        except (Outside, Refusal) as error:
            return (Check(False, f"Stripe does not let us in: {error}"),)
        mode = "test keys: no real money moves" if self._testing else "live keys: real money moves"
        said = [Check(True, f"Stripe answers, with {mode}."), await self._reads_warnings()]
        if (key := self._keys.get("publishable_key", "")) and ("_test_" in key) != self._testing:
            said.append(Check(False, "The publishable key and the secret key are of different modes (test and live)."))
        if not key:
            said.append(Check(True, "Without CROSSDOCK_STRIPE_PUBLISHABLE_KEY only Stripe's test cards can be chosen."))
        if self._keys.get("webhook_secret"):
            said.append(Check(True, "Webhooks are verified with CROSSDOCK_STRIPE_WEBHOOK_SECRET."))
        else:
            sentence = (
                "CROSSDOCK_STRIPE_WEBHOOK_SECRET is not set: disputes and refunds made at Stripe are seen up to an hour"
                " late."
            )
            said.append(Check(False, sentence))
        return tuple(said)

    async def _reads_warnings(self) -> Check:
        try:
            await self._client.warnings({"created": {"gte": int(self._clock().timestamp())}})
        except (AuthDead, Refusal):
            sentence = (
                "The key may not read Radar's early fraud warnings: a fraud is then known only once it is disputed."
            )
            return Check(False, sentence)
        except Outside as error:
            return Check(False, f"Early fraud warnings could not be asked for: {error}")
        return Check(True, "Early fraud warnings can be read.")


def _refunded(made: "stripe.Refund", minor: int, *, already: bool = False) -> Outcome:
    if made.amount != minor:
        return Refused(Why.CONFLICT, "This refund was made before with another amount.")
    match made.status:
        case "failed" | "canceled":
            return Refused(Why.INVALID, "The buyer's bank did not take the refund; the money is back at Stripe.")
        case "succeeded" | "pending" | "requires_action":
            return Done(made.id, already=already)
        case _:
            return Later("Stripe has not said yet what becomes of the refund.")
