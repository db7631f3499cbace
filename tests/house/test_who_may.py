"""Who may is said in one place (`usecases/record/rights.py`): what it says, and that no other module decides by hand.
That every address asks it is walked in test_walls.py and test_api.py.
"""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from crossdock.store.models import Connection, Order, PaymentIntent, Seller, Shipment, User, Variant
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.record.rights import bought_by, may, require, require_buyer, require_of, side_of, theirs
from market import World, user
from market import seller as a_seller

SOURCE = Path(__file__).parents[2] / "src" / "crossdock"
RIGHTS = SOURCE / "usecases" / "record" / "rights.py"
# They show or set the mark itself, or ask more of who has it: Django's admin asks Django's own way.
MARKS = ("usecases/accounts/staffing.py", "web/staff/admin.py", "web/staff/raw.py", "web/accounts.py", "web/signin/")
# An owner or a member of staff compared by hand: `seller.owner_id == actor.pk`, `not actor.is_staff`.
BY_HAND = re.compile(r"owner_id\s*(?:==|!=)|(?:==|!=)\s*[\w.]*owner_id|\bbuyer_id\s*(?:==|!=)|\.is_staff\b(?!\s*=[^=])")
# In pages and the API: a seller's or buyer's rows chosen by hand.
CHOSEN = re.compile(r"objects[^\n]*\b(?:seller|buyer)(?:_id)?=|get_object_or_404\([^\n]*, (?:seller|buyer)(?:_id)?=")


def modules() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if not {"migrations", "tests", "demo"} & set(path.parts)]


def by_hand(name: str, text: str) -> list[str]:
    if name.startswith(MARKS) or SOURCE / name == RIGHTS:
        return []
    pattern = re.compile(f"{BY_HAND.pattern}|{CHOSEN.pattern}") if name.startswith("web/") else BY_HAND
    # What a message says of its author (`message.is_staff`) is no right.
    found = [line.strip() for line in text.splitlines() if pattern.search(line) and "message.is_staff" not in line]
    return [f"{name}: {line}" for line in found]


def test_nobody_else_decides_who_may() -> None:
    assert [line for path in modules() for line in by_hand(str(path.relative_to(SOURCE)), path.read_text())] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("usecases/orders/actions.py", "    if order.seller.owner_id != actor.pk:"),
        ("usecases/risk/lists.py", "    if not actor.is_staff:"),
        ("usecases/checkout/checkout.py", "        if offer.buyer_id != buyer.pk:"),
        ("web/seller/orders.py", "    return get_object_or_404(Order, public_id=public_id, seller=seller)"),
        ("web/storefront/orders.py", "    orders = Order.objects.filter(buyer=buyer)"),
    ],
)
def test_a_planted_breach_is_seen(name: str, line: str) -> None:
    assert by_hand(name, line) == [f"{name}: {line.strip()}"]


@pytest.mark.django_db
def test_staff_may_what_a_seller_may_and_a_seller_what_is_theirs() -> None:
    seller, staff, buyer = a_seller(), user(is_staff=True), user()
    other = a_seller()
    rows: list[tuple[User | None, Seller | None, bool]] = [
        (seller.owner, seller, True),
        (other.owner, seller, False),
        (buyer, seller, False),
        (None, seller, False),
        (staff, seller, True),
        (seller.owner, None, False),
        (staff, None, True),
        (None, None, False),
    ]
    for person, whose, allowed in rows:
        assert may(person, whose) is allowed, (person, whose)
        if allowed:
            require(person, whose)
        else:
            with pytest.raises(NotAllowed, match="This shop is not yours"):
                require(person, whose)
    assert (side_of(seller.owner, seller), side_of(staff, seller)) == ("seller", "staff")


@pytest.mark.django_db
def test_rows_of_another_seller_or_buyer_are_not_found() -> None:
    world, other = World(units=5), a_seller()
    order = world.buy()
    for model in (Order, Connection, Variant, Shipment):
        assert not theirs(model, other).exists(), model
        assert theirs(model, world.seller).count() == theirs(model, None).count() == model._default_manager.count()
    assert bought_by(Order, order.buyer).get() == order and not bought_by(Order, world.seller.owner).exists()
    intent = PaymentIntent.objects.get()
    require_buyer(order.buyer, intent, "?")
    require_of(world.seller, order)
    refused: list[Callable[[], None]] = [
        lambda: require_buyer(user(is_staff=True), intent, "Not yours."),
        lambda: require_of(other, order, "Not yours."),
    ]
    for ask in refused:
        with pytest.raises(NotAllowed, match="Not yours"):
            ask()


# A deed names who does it. One that names nobody is done to rows that the page or the API found with `theirs`, which
# test_walls.py and test_api.py walk as everybody else.
WHO = {"actor", "by", "author", "who"}
_WRITES = {"create", "update", "delete", "save", "bulk_create", "bulk_update", "update_or_create", "get_or_create"}
# Writes down that data left the house.
NOTES = ["record.audit.exported"]


def test_each_deed_that_staff_reach_asks_a_right_by_itself() -> None:
    """Walked from staff's pages: each use-case function that they call asks, or one that it calls does."""
    assert unguarded("web/staff") == NOTES


@pytest.mark.parametrize("under", ["web/api", "web/seller", "web/storefront", "cli"])
def test_each_deed_that_names_who_does_it_asks_whether_they_may(under: str) -> None:
    """Acting as a seller, and by a token, staff reach these too."""
    assert [name for name in unguarded(under, named=True) if name not in [*NOTES, "record.audit.note"]] == []


def test_a_deed_that_asks_nothing_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "crossdock"
    (folder / "usecases" / "support").mkdir(parents=True)
    (folder / "web" / "staff").mkdir(parents=True)
    (folder / "usecases" / "support" / "cases.py").write_text(
        "def attach(*, case, now):\n    _keep(case)\n\ndef _keep(case):\n    case.save()\n\n"
        "def close(*, case, actor):\n    require(actor, case.seller)\n    _keep(case)\n\n"
        "def shown(case):\n    return case\n"
    )
    (folder / "web" / "staff" / "cases.py").write_text(
        "from crossdock.usecases.support import cases\n\ndef view(request):\n"
        "    cases.attach(case=1, now=2), cases.close(case=1, actor=2), cases.shown(1)\n"
    )
    assert unguarded("web/staff", folder) == ["support.cases.attach"]


Key = tuple[str, str]


def unguarded(under: str, source: Path = SOURCE, *, named: bool = False) -> list[str]:
    """Use-cases that modules under this folder call and that write, without asking who it is on the way. `named`: of
    those alone that name who does it.
    """
    code: dict[Key, ast.FunctionDef] = {}
    known: dict[str, dict[str, Key]] = {}
    for path in sorted((source / "usecases").rglob("*.py")):
        module, tree = ".".join(path.relative_to(source.parent).with_suffix("").parts), ast.parse(path.read_text())
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        code |= {(module, node.name): node for node in functions}
        known[module] = _imported(tree) | {node.name: (module, node.name) for node in functions}
    begun: set[Key] = set()
    for path in sorted((source / under).rglob("*.py")):
        tree = ast.parse(path.read_text())
        begun |= {key for key in _called(tree, _imported(tree)) if key in code}
    return sorted(
        f"{module.removeprefix('crossdock.usecases.')}.{name}"
        for module, name in begun
        if (not named or WHO & {arg.arg for arg in code[module, name].args.kwonlyargs})
        and _reaches((module, name), _WRITES, code, known)
        and not _reaches((module, name), GUARDS, code, known)
    )


GUARDS = {"require", "require_owner", "require_buyer", "require_of", "may", "holds"}


def _reaches(start: Key, names: set[str], code: dict[Key, ast.FunctionDef], known: dict[str, dict[str, Key]]) -> bool:
    seen, todo = {start}, [start]
    while todo:
        key = todo.pop()
        if names & {_name(call) for call in ast.walk(code[key]) if isinstance(call, ast.Call)}:
            return True
        more = {other for other in _called(code[key], known[key[0]]) if other in code} - seen
        seen |= more
        todo += more
    return False


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _imported(tree: ast.AST) -> dict[str, Key]:
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("crossdock.usecases")
        for alias in node.names
    }


def _called(tree: ast.AST, names: dict[str, Key]) -> set[Key]:
    """By their own name, or as an attribute of their module."""
    found = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in names:
            found.add(names[call.func.id])
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            module, name = names.get(call.func.value.id, ("", ""))
            found.add((f"{module}.{name}", call.func.attr))
    return found


def test_each_way_to_a_seller_is_a_column() -> None:
    """`theirs` names no relation that a model lacks: every model that pages hand it has one."""
    given = {
        node.args[0].id
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("theirs", "mine")
        and node.args
        and isinstance(node.args[0], ast.Name)
        and node.args[0].id[0].isupper()
    }
    assert {"Order", "Listing", "Connection", "Alert", "Variant", "ApiToken"} <= given
    import crossdock.store.models as models

    for name in given:
        assert str(theirs(getattr(models, name), Seller(pk=1)).query)
