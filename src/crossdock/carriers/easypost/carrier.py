"""The Carrier protocol over EasyPost. Asking for prices makes a shipment there, which costs nothing and can be bought
once; its id is kept before it is bought.

EasyPost keeps no key against repeats, and needs none: a second purchase of one shipment is refused
(SHIPMENT.POSTAGE.EXISTS), and looking it up is reading it. See docs/decisions/0008-labels.md, and README.md here for
what nobody has checked against a real account.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from crossdock.carriers.easypost import mapper, reading
from crossdock.carriers.easypost.client import NO_LIBRARY, Client, Refusal, installed
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.domain.labels import Bought, Can, Form, LabelStanding, Purchase, Quote, VoidState, Wanted
from crossdock.kit.carrier import Answer
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.errors import BadInput, Missing, Outside, outcome_of
from crossdock.kit.gateway import Check
from crossdock.kit.webhook import body_key, hmac_ok
from crossdock.kit.wire import load

SIGNATURE, SIGNED_AS = "x-hmac-signature", "hmac-sha256-hex="
# Somebody bought this very shipment, or is buying it; or its carrier never told EasyPost how it ended.
MAYBE_BOUGHT = frozenset(
    {
        "SHIPMENT.POSTAGE.EXISTS",
        "SHIPMENT.PURCHASE.IN_PROGRESS",
        "SHIPMENT.POSTAGE.TIMED_OUT",
        "SHIPMENT.POSTAGE.NO_RESPONSE",
    }
)


class EasyPostCarrier:
    """Without a key it can only say what is missing."""

    name = "easypost"
    label = "EasyPost"
    can = Can(international=True, insurance=True, insures_up_to=5000, forms=(Form.PDF, Form.PNG, Form.ZPL))
    patience = timedelta(seconds=45)
    # Not needed for safety; it keeps us from pressing on while EasyPost still waits for the carrier.
    horizon = timedelta(seconds=30)

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        self._keys = dict(keys or {})
        self._client = Client(self._keys.get("api_key", ""), self._keys.get("api_base", ""))

    def opened(self, folder: Path, keys: Mapping[str, str]) -> "EasyPostCarrier":
        return EasyPostCarrier(keys)

    def missing(self) -> str:
        if not installed():
            return NO_LIBRARY
        if not self._keys.get("api_key"):
            return "CROSSDOCK_EASYPOST_API_KEY is not set: copy a key from EasyPost's dashboard, under API keys."
        return ""

    async def quote(self, wanted: Wanted) -> tuple[Quote, ...]:
        try:
            shipment = await self._client.create(mapper.shipment(wanted))
        except Refusal as no:
            raise BadInput(no.sentence) from None
        found = reading.quotes(shipment, wanted.insured)
        if not found:
            raise BadInput(reading.why_no_rates(shipment))
        return found

    async def buy(self, purchase: Purchase) -> Answer:
        shipment, _, rate = purchase.quote.ref.partition("/")
        insured = purchase.wanted.insured
        try:
            made = reading.bought(await self._client.buy(shipment, rate=rate, insurance=str(insured or "")), insured)
            return made or Unknown("EasyPost answered without a label.")
        except Refusal as no:
            if no.code in MAYBE_BOUGHT:
                return Unknown(no.sentence)
            return Refused(Why.INVALID, no.sentence)
        except Missing as error:
            return Refused(Why.NOT_FOUND, str(error))
        except Outside as error:
            ended = outcome_of(error)
            return Unknown(str(error)) if isinstance(ended, Done) else ended

    async def look_up(self, purchase: Purchase) -> tuple[Bought, ...]:
        """One shipment is bought once, so there is never a second."""
        shipment = purchase.quote.ref.partition("/")[0]
        try:
            found = reading.bought(await self._client.retrieve(shipment), purchase.wanted.insured)
        except Missing:
            return ()
        return (found,) if found else ()

    async def void(self, ref: str) -> Outcome:
        try:
            before = reading.standing(await self._client.retrieve(ref))
            if before.void in (VoidState.ASKED, VoidState.DONE):
                return Done(ref, already=True)
            said = str(reading.part(await self._client.refund(ref), "refund_status") or "")
        except Refusal as no:
            return Refused(Why.TOO_LATE, no.sentence)
        except Outside as error:
            return outcome_of(error)
        match said:
            case "submitted" | "refunded":
                return Done(ref)
            case "rejected":
                return Refused(
                    Why.TOO_LATE,
                    "The carrier rejected the refund. Right after buying that happens by mistake; ask again in a"
                    " while.",
                )
            case "not_applicable":
                return Refused(
                    Why.UNSUPPORTED,
                    "This carrier charges a label only when the parcel is scanned, so there is nothing to give back.",
                )
            case _:
                return Unknown("EasyPost did not say what became of the refund.")

    async def read(self, ref: str) -> LabelStanding:
        try:
            return reading.standing(await self._client.retrieve(ref))
        except Refusal as no:
            raise Missing(no.sentence) from None

    async def document(self, ref: str, form: Form) -> bytes:
        try:
            shipment = await (
                self._client.retrieve(ref) if form is Form.PNG else self._client.label(ref, form.value.upper())
            )
        except Refusal as no:
            raise Missing(no.sentence) from None
        field = {Form.PNG: "label_url", Form.PDF: "label_pdf_url", Form.ZPL: "label_zpl_url"}[form]
        url = reading.part(reading.part(shipment, "postage_label") or {}, field)
        if not url:
            raise Missing(f"EasyPost has no {form.value.upper()} of this label.")
        return await self._client.download(str(url))

    def verify(self, hook: Hook, now: datetime) -> None:
        """Signed over the raw body, without a time: an old delivery played back leads to one more reading, nothing
        else.
        """
        secret = unicodedata.normalize("NFKD", self._keys.get("webhook_secret", ""))
        given = hook.headers.get(SIGNATURE, "")
        if not given.startswith(SIGNED_AS) or not hmac_ok(
            secret, hook.body, given.removeprefix(SIGNED_AS), encoding="hex"
        ):
            raise Forged

    def news(self, hook: Hook) -> HookNews:
        sent = load(hook.body, "the event")
        event = sent if isinstance(sent, dict) else {}
        topic, told = str(event.get("description") or "")[:80], event.get("result")
        result = told if isinstance(told, dict) else {}
        ref = result.get("shipment_id") if topic.startswith(("tracker.", "refund.")) else None
        looks = (Look(LookKind.LABEL, str(ref)),) if ref else ()
        return HookNews(topic, f"{topic}:{event.get('id') or body_key(hook.body)}", looks)

    async def check(self) -> tuple[Check, ...]:
        said = []
        try:
            await self._client.ping()
            said.append(Check(True, "EasyPost takes the key."))
        except (Outside, Refusal) as error:
            said.append(Check(False, str(error)))
        testing = self._keys.get("api_key", "").startswith("EZTK")
        said.append(
            Check(
                True,
                (
                    "It is a test key: labels cost nothing and carry nothing."
                    if testing
                    else "It is a live key: labels cost money."
                ),
            )
        )
        if not self._keys.get("webhook_secret"):
            said.append(
                Check(
                    False,
                    "CROSSDOCK_EASYPOST_WEBHOOK_SECRET is not set: parcels are followed by an hourly reading only.",
                )
            )
        return tuple(said)
