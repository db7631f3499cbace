"""Stripe's own library on a thread of its own: with time-outs, without its retries, and its exceptions sorted by what
to do next.

A repeat is decided by us, with the payment's state at hand; a library that repeats by itself would hide that an answer
was lost.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Throttled

if TYPE_CHECKING:
    import stripe

T = TypeVar("T")
# Connecting, and between two bytes of the answer. A page waits eight seconds for two calls; the worker looks at what
# took longer.
TIMEOUT_SECONDS = (3.0, 15.0)
NO_LIBRARY = (
    "Stripe's library is not installed here; run `pip install -r requirements/extras.txt` (or `pip install stripe`)."
)
OUR_INTENT, OUR_KEY = "crossdock_intent", "crossdock_key"


class Refusal(Exception):
    """Stripe understood the call and did not do it. `card` when it was the card's bank that said no."""

    def __init__(self, sentence: str, code: str, decline_code: str = "", *, card: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.code, self.decline_code, self.card = sentence, code, decline_code, card


class Spoiled(NoAnswer):
    """Stripe keeps a failure of its own as the answer to this key: whoever asks again gets it again, and nobody ever
    got another.
    """


def installed() -> bool:
    try:
        import stripe  # noqa: F401
    except ImportError:
        return False
    return True


class Client:
    """One account. Never shown or logged: it holds the key."""

    def __init__(self, secret_key: str, base: str = "") -> None:
        self._secret_key, self._base = secret_key, base
        self._made: stripe.StripeClient | None = None

    async def create(self, *, intent: str, minor: int, currency: str) -> "stripe.PaymentIntent":
        """Unconfirmed: it charges nobody. The same intent gets the same one for as long as Stripe keeps the key."""
        params: Any = {
            "amount": minor,
            "currency": currency.lower(),
            "payment_method_types": ["card"],
            "metadata": {OUR_INTENT: intent},
        }
        return await self._call(lambda it: it.v1.payment_intents.create(params, _key(f"crossdock-create-{intent}")))

    async def confirm(self, ref: str, *, intent: str, token: str, back_url: str) -> "stripe.PaymentIntent":
        """The charge. One key per intent, so that a second one with another card is refused instead of charged."""
        params: Any = {"payment_method": token, "expand": ["latest_charge"]}
        params |= {"return_url": back_url} if back_url else {"error_on_requires_action": True}
        return await self._call(
            lambda it: it.v1.payment_intents.confirm(ref, params, _key(f"crossdock-confirm-{intent}"))
        )

    async def retrieve(self, ref: str) -> "stripe.PaymentIntent":
        return await self._call(lambda it: it.v1.payment_intents.retrieve(ref, {"expand": ["latest_charge"]}))

    async def cancel(self, ref: str) -> "stripe.PaymentIntent":
        return await self._call(lambda it: it.v1.payment_intents.cancel(ref))

    async def search(self, intent: str) -> "list[stripe.PaymentIntent]":
        """By our intent, for what is older than its key. New ones appear in it a minute late, in bad times an hour."""
        query = f"metadata['{OUR_INTENT}']:'{intent}'"
        return list((await self._call(lambda it: it.v1.payment_intents.search({"query": query, "limit": 10}))).data)

    async def refund(self, ref: str, *, minor: int, intent: str, key: str) -> "stripe.Refund":
        params: Any = {"payment_intent": ref, "amount": minor, "metadata": {OUR_INTENT: intent, OUR_KEY: key}}
        return await self._call(lambda it: it.v1.refunds.create(params, _key(f"crossdock-refund-{key}")))

    async def refunds(self, query: Mapping[str, Any]) -> "list[stripe.Refund]":
        params: Any = {**query, "limit": 100}
        return await self._call(lambda it: list(it.v1.refunds.list(params).auto_paging_iter()))

    async def disputes(self, query: Mapping[str, Any]) -> "list[stripe.Dispute]":
        params: Any = {**query, "limit": 100}
        return await self._call(lambda it: list(it.v1.disputes.list(params).auto_paging_iter()))

    async def warnings(self, query: Mapping[str, Any]) -> "list[stripe.radar.EarlyFraudWarning]":
        params: Any = {**query, "limit": 100}
        return await self._call(lambda it: list(it.v1.radar.early_fraud_warnings.list(params).auto_paging_iter()))

    async def ping(self) -> None:
        """The smallest question that needs the right to payments."""
        await self._call(lambda it: it.v1.payment_intents.list({"limit": 1}))

    async def _call(self, ask: "Callable[[stripe.StripeClient], T]") -> T:
        return await asyncio.to_thread(self._ask, ask)

    def _ask(self, ask: "Callable[[stripe.StripeClient], T]") -> T:
        try:
            import stripe
        except ImportError:
            raise AuthDead(NO_LIBRARY) from None
        try:
            return ask(self._client())
        except stripe.RateLimitError:
            raise Throttled("Stripe asks us to slow down.") from None
        except (stripe.AuthenticationError, stripe.PermissionError):
            raise AuthDead("Stripe refuses the marketplace's key, or the key lacks a right.") from None
        except stripe.CardError as error:
            raise Refusal(error.user_message or "", error.code or "", _decline_code(error), card=True) from None
        except stripe.IdempotencyError as error:
            raise Refusal(error.user_message or "", "idempotency_error") from None
        except stripe.InvalidRequestError as error:
            if error.http_status == 404 and error.param != "payment_method":
                raise Missing(f"Stripe does not know it: {error.user_message}") from None
            raise Refusal(error.user_message or "", error.code or "") from None
        except stripe.StripeError as error:
            headers = {name.lower(): value for name, value in (error.headers or {}).items()}
            replayed = headers.get("idempotent-replayed") == "true"
            kind = Spoiled if replayed else NoAnswer
            raise kind(f"Stripe gave no usable answer ({type(error).__name__}).") from None

    def _client(self) -> "stripe.StripeClient":
        import stripe

        if self._made is None:
            addresses: Any = {"api": self._base} if self._base else {}
            self._made = stripe.StripeClient(
                self._secret_key,
                base_addresses=addresses,
                max_network_retries=0,
                http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            )
        return self._made


def _key(key: str) -> Any:
    return {"idempotency_key": key}


def _decline_code(error: "stripe.CardError") -> str:
    return str(getattr(error.error, "decline_code", None) or "") if error.error else ""
