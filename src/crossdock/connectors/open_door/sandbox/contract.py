"""The contract as the simulated shop reads it: every request and every answer is held against openapi.json."""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from crossdock.kit.sandbox import schema

_URN = "urn:contract"


@lru_cache
def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files("crossdock.connectors.open_door").joinpath("openapi.json").read_text())
    return read


def _pointer(call: str, rest: str) -> str:
    return f"{_URN}#/paths/{('/' + call).replace('~', '~0').replace('/', '~1')}/post/{rest}"


@lru_cache
def _validator(pointer: str) -> Any:
    return schema.validator({"$ref": pointer}, documents={_URN: document()})


def _wrong(pointer: str, value: Any) -> str:
    return schema.problem(_validator(pointer), value)


def wrong_request(call: str, body: Any) -> str:
    """What is not as the contract says; empty when all is."""
    if f"/{call}" not in document()["paths"]:
        return f"the contract has no call {call!r}"
    return _wrong(_pointer(call, "requestBody/content/application~1json/schema"), body)


def wrong_answer(call: str, status: int, body: Any) -> str:
    if status >= 400:
        return _wrong(f"{_URN}#/components/schemas/Refusal", body)
    return _wrong(_pointer(call, "responses/200/content/application~1json/schema"), body)


def wrong_event(body: Any) -> str:
    return _wrong(f"{_URN}#/components/schemas/Event", body)
