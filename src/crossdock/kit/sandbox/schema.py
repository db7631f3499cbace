"""What a vendor's JSON schema has against a value. The validator is there in development only; a demo goes without."""

from collections.abc import Mapping
from typing import Any

try:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012
except ImportError:  # requirements/dev.in
    Draft202012Validator = None  # type: ignore[assignment, misc]


def validator(schema: Mapping[str, Any], *, documents: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    """`documents` are those that a $ref may name, by their URI. None where nothing can be checked."""
    if Draft202012Validator is None:
        return None
    known = [(uri, DRAFT202012.create_resource(document)) for uri, document in (documents or {}).items()]
    return Draft202012Validator(
        schema, registry=Registry().with_resources(known), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def problem(checks: Any, value: Any) -> str:
    """The first thing that is not as the validator wants it; empty when all is."""
    errors = checks.iter_errors(value) if checks is not None else ()
    return next((f"{error.json_path}: {error.message[:200]}" for error in errors), "")
