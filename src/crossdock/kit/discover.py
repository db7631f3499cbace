"""Which platforms there are: every folder below crossdock.connectors (and its three sisters) offers one by a fixed
name, and other packages may offer connectors by entry points (kit/installed.py). Nothing is registered anywhere.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from crossdock.kit import installed
from crossdock.kit.carrier import Carrier
from crossdock.kit.connector import Connector
from crossdock.kit.gateway import Gateway
from crossdock.kit.payout import PayoutBank

if TYPE_CHECKING:
    from crossdock.kit.sandbox import Sandbox


class BrokenFolder(Exception):
    """A folder does not offer what its kind must; the message says which and what."""


class NoSuchFolder(LookupError):
    """No folder of this kind has that name."""


def connectors() -> Mapping[str, Connector]:
    """Every shop platform by its name, which is its folder's name; those of other packages come last."""
    own = ours()
    others = installed.installed(own.keys()).connectors
    return {**own, **others} if others else own


def packages() -> Mapping[str, installed.Package]:
    """The package of every platform that is not ours."""
    return installed.installed(ours().keys()).packages


def broken() -> tuple[installed.Broken, ...]:
    """Other packages' connectors that were passed over."""
    return installed.installed(ours().keys()).broken


def ours() -> Mapping[str, Connector]:
    """Those that are part of Crossdock."""
    found = cast("Mapping[str, Connector]", offered("connectors", "connector"))
    for name, connector in found.items():
        if connector.manifest.name != name:
            raise BrokenFolder(
                f"connectors/{name} calls itself {connector.manifest.name!r}; a platform's name is its folder's."
            )
    return found


def connector(name: str) -> Connector:
    return _one(connectors(), "connectors", name)


def gateways() -> Mapping[str, Gateway]:
    """Every payment provider by its name."""
    return cast("Mapping[str, Gateway]", offered("payments", "gateway"))


def carriers() -> Mapping[str, Carrier]:
    """Every label provider by its name."""
    return cast("Mapping[str, Carrier]", offered("carriers", "carrier"))


def payout_banks() -> Mapping[str, PayoutBank]:
    """Every payout provider by its name."""
    return cast("Mapping[str, PayoutBank]", offered("payouts", "bank"))


def sandbox(name: str) -> "type[Sandbox]":
    """The simulator's class of a platform.

    Loaded only when asked for: a simulator needs a web server and packages that a worker does not.
    """
    from crossdock.kit.sandbox import Sandbox

    connector(name)
    package = packages().get(name)
    place = f"{package.module if package else f'crossdock.connectors.{name}'}.sandbox"
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        if package is None or error.name != place:
            raise
        raise BrokenFolder(f"{package.words} has no simulated shop for {name} (no module {place}).") from None
    made = getattr(module, "Sandbox", None)
    if not (isinstance(made, type) and issubclass(made, Sandbox) and made is not Sandbox):
        raise BrokenFolder(f"connectors/{name}/sandbox offers no class Sandbox of its own.")
    return made


def simulated() -> list[str]:
    """Every platform that has a simulated shop: all of ours, and those of other packages that brought one."""
    return sorted([*ours(), *(name for name in packages() if _has_sandbox(name))])


def _has_sandbox(name: str) -> bool:
    try:
        sandbox(name)
    # Somebody else's simulator may need whatever is not there.
    except Exception:
        return False
    return True


def offered(kind: str, attribute: str) -> Mapping[str, Any]:
    """The `attribute` of every folder below crossdock.<kind>, by folder name, sorted.

    The package's search path may have been extended.
    """
    package = importlib.import_module(f"crossdock.{kind}")
    return _scan(kind, attribute, tuple(package.__path__))


@lru_cache
def _scan(kind: str, attribute: str, path: tuple[str, ...]) -> Mapping[str, Any]:
    names = sorted(info.name for info in pkgutil.iter_modules(path) if info.ispkg and not info.name.startswith("_"))
    return {name: _attribute(kind, name, attribute) for name in names}


def _attribute(kind: str, name: str, attribute: str) -> Any:
    module = importlib.import_module(f"crossdock.{kind}.{name}")
    value = getattr(module, attribute, None)
    if value is None:
        raise BrokenFolder(f"{kind}/{name}/__init__.py offers no `{attribute}`.")
    return value


def _one(found: Mapping[str, Connector], kind: str, name: str) -> Connector:
    try:
        return found[name]
    except KeyError:
        raise NoSuchFolder(f"There is no {name!r} among the {kind}; there are: {', '.join(found) or 'none'}.") from None
