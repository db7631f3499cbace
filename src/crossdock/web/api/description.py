"""The description of the API, with what every operation may answer beside its success: the entrance, the token, the
pace and the reading of what was sent refuse before an operation begins, so no operation names those itself.
"""

from functools import cached_property
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from crossdock.web.api.problems import CONTENT_TYPE, KINDS
from crossdock.web.api.shapes import ProblemOut

_PROBLEM = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}


class DescribedAPI(NinjaAPI):
    """Ninja's, whose description names problems as what they are (RFC 9457) and leaves no status out."""

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        """Made when it is first asked for, and kept: it says the same to everybody, anybody may ask for it, and to make
        it takes a sixth of a second.
        """
        return self._described

    @cached_property
    def _described(self) -> OpenAPISchema:
        described = super().get_openapi_schema()
        for operations in described["paths"].values():
            for operation in operations.values():
                _complete(operation)
        return described


def _complete(operation: dict[str, Any]) -> None:
    told = operation["responses"]
    for status in _may_refuse(operation):
        told.setdefault(status, {"description": _titles(status)})
    for status, response in told.items():
        if status >= 400:
            response["content"] = {CONTENT_TYPE: {"schema": _PROBLEM}}
    operation["responses"] = dict(sorted(told.items()))


def _may_refuse(operation: dict[str, Any]) -> set[int]:
    asked = operation.get("parameters", [])
    statuses = {401, 403, 413, 429, 500, 503}
    if any(parameter["in"] == "path" for parameter in asked):
        statuses.add(404)
    if "requestBody" in operation:
        statuses.add(400)
    if asked or "requestBody" in operation:
        statuses.add(422)
    return statuses


def _titles(status: int) -> str:
    return "; ".join(title for kind, (number, title) in KINDS.items() if number == status)
