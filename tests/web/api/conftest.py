"""Whatever the API answers in these tests is described: its status, its type of content, and its shape."""

from functools import cache
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

PREFIX = "/api/v1/"


@pytest.fixture(autouse=True)
def _as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Client.request

    def request(self: Client, **given: Any) -> Any:
        response = plain(self, **given)
        if response.request["PATH_INFO"].startswith(PREFIX):
            wrong = not_described(response)
            assert wrong is None, f"{response.request['REQUEST_METHOD']} {response.request['PATH_INFO']}: {wrong}"
        return response

    monkeypatch.setattr(Client, "request", request)


def not_described(response: Any) -> str | None:
    """What of an answer the description does not say. Addresses and methods that are not in it are not looked at."""
    where = getattr(getattr(response, "resolver_match", None), "route", "")
    operation = _operations().get((response.request["REQUEST_METHOD"].lower(), _shape("/" + where)))
    if operation is None:
        return None
    told = operation["responses"].get(response.status_code)
    if told is None:
        return f"{response.status_code} is not among {list(operation['responses'])}"
    content = told.get("content", {})
    kind = response["Content-Type"].split(";")[0]
    if kind not in content and "*/*" not in content:
        return f"{response.status_code} is {kind}, not {list(content)}"
    if not kind.endswith("json"):
        return None
    found = next(_validator(operation["operationId"], response.status_code).iter_errors(response.json()), None)
    return found and f"{response.status_code}: {found.message[:300]} at {list(found.absolute_path)}"


def _shape(route: str) -> str:
    """An address with its parameters' names and kinds taken away."""
    import re

    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", route)


@cache
def _described() -> Any:
    from crossdock.web.api.urls import api

    return api.get_openapi_schema()


@cache
def _operations() -> dict[tuple[str, str], Any]:
    return {
        (method, _shape(path)): operation
        for path, methods in _described()["paths"].items()
        for method, operation in methods.items()
    }


@cache
def _validator(operation_id: str, status: int) -> Draft202012Validator:
    operation = next(each for each in _operations().values() if each["operationId"] == operation_id)
    (content,) = operation["responses"][status]["content"].values()
    return Draft202012Validator({**content["schema"], "components": _described()["components"]})
