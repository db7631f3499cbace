"""A row that is locked is read as it is after the wait; what a join brings along is as it was before. So what may be
set meanwhile (a key that may be null, a row that points back) is read by a statement of its own (docs/lessons.md).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db.models import Model

SOURCE = Path(__file__).parents[2] / "src" / "crossdock"
# Written with the row, or never looked at where somebody may have waited.
NEVER_SET_LATER = {
    "Alert": {"order", "connection", "listing"},
    "Case": {"order"},
    "Endpoint": {"seller", "token"},
    "Order": {"connection", "intent"},
    # With its payment, in one statement.
    "PaymentIntent": {"trace"},
    # Who has their account erased takes it away; that ends the run's rows, too.
    "BulkRow": {"run__asked_by"},
    # Of a variant's shop; a variant moves to none.
    "VariantStock": {"variant__connection"},
    "Difference": {"variant__connection"},
    "Offer": {"variant__connection", "variant__listing__connection"},
}

# Keys that are never empty and change all the same: who waited does not find the row at all, since the join was made
# with what stood there before.
MOVES = {"Seller": "owner"}


def _asked(function: ast.FunctionDef, method: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call of this method of a QuerySet with the name that its chain begins with: `Order` of
    `Order.objects.filter(…).select_related(…)`, also where that stood in a variable first.
    """
    begun = {
        one.targets[0].id: _root(one.value)
        for one in ast.walk(function)
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == method:
            name = _root(call)
            yield begun.get(name, name), call


def _root(at: ast.expr) -> str:
    while isinstance(at, ast.Call | ast.Attribute):
        at = at.func if isinstance(at, ast.Call) else at.value
    return at.id if isinstance(at, ast.Name) else ""


def _set_later(model: type[Model], path: str) -> str:
    """The part of a path that may be empty when it is read and set when the lock is there; empty where none may."""
    done: list[str] = []
    for part in path.split("__"):
        field = next((one for one in model._meta.get_fields() if one.name == part), None)
        if field is None or not isinstance(field.related_model, type):
            return ""
        done.append(part)
        if field.auto_created or getattr(field, "null", False) or (MOVES.get(model.__name__) == part and not done[1:]):
            return "__".join(done)
        model = field.related_model
    return ""


def test_nothing_that_may_be_set_meanwhile_is_joined_to_a_locked_row() -> None:
    models = {model.__name__: model for model in apps.get_app_config("store").get_models()}
    wrong, seen = [], set[tuple[str, str]]()
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text()
        if "select_for_update" not in text or "select_related" not in text:
            continue
        for function in ast.walk(ast.parse(text)):
            if not isinstance(function, ast.FunctionDef):
                continue
            locked = {name for name, _ in _asked(function, "select_for_update")} & models.keys()
            for name, call in _asked(function, "select_related"):
                paths = [one.value for one in call.args if isinstance(one, ast.Constant)] if name in locked else []
                for later in filter(None, (_set_later(models[name], str(path)) for path in paths)):
                    seen.add((name, later))
                    if later not in NEVER_SET_LATER.get(name, set()):
                        wrong.append(f"{file.relative_to(SOURCE)}: {function.name} locks {name} with {later}")
    assert wrong == []
    assert ("Order", "intent") in seen and ("Alert", "order") in seen
    listed = {(name, path) for name, paths in NEVER_SET_LATER.items() for path in paths}
    assert listed - seen == set(), "no longer joined"
