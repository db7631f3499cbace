"""EasyPost's own library on a thread: with time-outs, and its exceptions sorted by what to do next.

The library's transport repeats what it could not even send, and reads that were cut off; a purchase that was sent it
does not repeat (tests count that).
"""

import asyncio
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Throttled

BASE = "https://api.easypost.com"
# Connecting, and between two bytes of the answer: EasyPost waits for the carrier before it answers a purchase.
TIMEOUT_SECONDS = (5.0, 35.0)
LARGEST_DOCUMENT = 5 * 1024 * 1024
NO_LIBRARY = (
    "EasyPost's library is not installed here; run `pip install -r requirements/extras.txt` (or `pip install"
    " easypost`)."
)
SILENT = "EasyPost gave no usable answer."


class Refusal(Exception):
    """EasyPost understood the call and did not do it."""

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.sentence, self.code = sentence, code


def installed() -> bool:
    return importlib.util.find_spec("easypost") is not None


class Client:
    """One account. Never shown or logged: it holds the key."""

    def __init__(self, api_key: str, base: str = "") -> None:
        self._api_key, self._base = api_key, base or BASE

    async def create(self, shipment: Mapping[str, Any]) -> Any:
        """A shipment with its rates. Costs nothing."""
        return await self._call(lambda it: it.shipment.create(**shipment))

    async def retrieve(self, shipment: str) -> Any:
        return await self._call(lambda it: it.shipment.retrieve(shipment))

    async def buy(self, shipment: str, *, rate: str, insurance: str = "") -> Any:
        insured = {"insurance": insurance} if insurance else {}
        return await self._call(lambda it: it.shipment.buy(shipment, rate={"id": rate}, **insured))

    async def refund(self, shipment: str) -> Any:
        return await self._call(lambda it: it.shipment.refund(shipment))

    async def label(self, shipment: str, file_format: str) -> Any:
        """The shipment, with its label in one more format."""
        return await self._call(lambda it: it.shipment.label(shipment, file_format=file_format))

    async def ping(self) -> None:
        """The smallest question that needs the key."""
        await self._call(lambda it: it.shipment.all(page_size=1))

    async def download(self, url: str) -> bytes:
        """A document, from where EasyPost says it lies. Raises NoAnswer."""
        return await asyncio.to_thread(self._download, url)

    async def _call(self, ask: Callable[[Any], Any]) -> Any:
        """The answer as plain mappings and lists."""
        return await asyncio.to_thread(self._ask, ask)

    def _ask(self, ask: Callable[[Any], Any]) -> Any:
        try:
            library: Any = importlib.import_module("easypost")
        except ImportError:
            raise AuthDead(NO_LIBRARY) from None
        errors = library.errors
        # One for each call: its session is not made for several threads.
        client = library.EasyPostClient(self._api_key, api_base=f"{self._base}/v2", timeout=TIMEOUT_SECONDS)
        try:
            return ask(client).to_dict()
        except (errors.UnauthorizedError, errors.ForbiddenError):
            raise AuthDead("EasyPost refuses the marketplace's key, or the key lacks a right.") from None
        except errors.RateLimitError:
            raise Throttled("EasyPost asks us to slow down.") from None
        except errors.PaymentError:
            raise Refusal(
                "The marketplace's account at EasyPost could not be charged; ask our staff.", "PAYMENT"
            ) from None
        except errors.NotFoundError as error:
            raise Missing(f"EasyPost does not know it: {error.message}") from None
        except (errors.InvalidRequestError, errors.BadRequestError, errors.MethodNotAllowedError) as error:
            raise Refusal(_sentence(error), str(error.code or "")) from None
        except errors.EasyPostError as error:
            raise NoAnswer(f"{SILENT} ({type(error).__name__})") from None
        finally:
            client._requests_session.close()

    def _download(self, url: str) -> bytes:
        import requests

        if urlsplit(url).scheme != "https" and urlsplit(url).hostname != urlsplit(self._base).hostname:
            raise NoAnswer("EasyPost named a label's address that is not safe to open.")
        try:
            with requests.get(url, timeout=TIMEOUT_SECONDS, stream=True) as answer:
                answer.raise_for_status()
                content = answer.raw.read(LARGEST_DOCUMENT + 1, decode_content=True)
        except (requests.RequestException, OSError) as error:
            raise NoAnswer(f"The label's file could not be fetched ({type(error).__name__}).") from None
        if not content or len(content) > LARGEST_DOCUMENT:
            raise NoAnswer("The label's file is empty or far too large.")
        return bytes(content)


def _sentence(error: Any) -> str:
    said = str(error.message or "").strip() or "EasyPost refused it without saying why."
    return said[:300] if said.endswith((".", "!")) else f"{said[:300]}."
