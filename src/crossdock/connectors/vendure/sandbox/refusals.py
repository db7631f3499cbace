"""The ways in which the simulated Vendure says no. The API puts each into the form that the real one uses."""

from typing import Any

from crossdock.kit.sandbox import Doc, Refusal


class Denied(Refusal):
    """A union member as an answer: the shop understood and does not do it."""

    def __init__(self, kind: str, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.answer: Doc = {"__typename": kind, "errorCode": code, "message": message, **more}


class Stumbled(Exception):
    """The server trips over a question that it does not expect (INTERNAL_SERVER_ERROR)."""


class NoSuchEntity(LookupError):
    """Vendure's ENTITY_NOT_FOUND."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f'No {kind} with the id "{id}" could be found')


class BadField(ValueError):
    """Vendure's USER_INPUT_ERROR."""
