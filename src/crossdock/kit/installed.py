"""Connectors of other packages, found by the entry points `crossdock.connectors`: nothing of ours is touched. One that
is broken stops nothing; it is passed over and says why.
"""

import logging
import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points

from crossdock.domain.capability import Manifest
from crossdock.kit.connector import Connector

GROUP = "crossdock.connectors"
_MUST = tuple(name for name, value in vars(Connector).items() if not name.startswith("_") and callable(value))
# It stands in addresses, in rows and on the command line.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Package:
    """Where a connector comes from. `module` is the one that offers it; its simulator is `sandbox` below it."""

    name: str
    version: str
    module: str

    @property
    def words(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Broken:
    """A connector that was passed over, and why."""

    platform: str
    package: Package
    sentence: str


@dataclass(frozen=True, slots=True)
class Installed:
    connectors: Mapping[str, Connector] = field(default_factory=dict)
    packages: Mapping[str, Package] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()


def installed(taken: Collection[str]) -> Installed:
    """Of every package that can be imported now; `taken` are the names of our own platforms."""
    return _installed(tuple(sys.path), frozenset(taken))


@lru_cache(maxsize=8)
def _installed(path: tuple[str, ...], taken: frozenset[str]) -> Installed:
    """The search path is the question: another one has other packages."""
    found: dict[str, Connector] = {}
    packages: dict[str, Package] = {}
    broken: list[Broken] = []
    for point in _points(broken):
        package = _package(point)
        if point.name in taken or point.name in found:
            broken.append(Broken(point.name, package, f"There is a platform called {point.name} already."))
            continue
        try:
            found[point.name] = _loaded(point)
        # Whatever somebody else's code raises while it is imported, or if it means to end the program, this one starts.
        except (Exception, SystemExit) as error:
            broken.append(Broken(point.name, package, _words_of(error)))
        else:
            packages[point.name] = package
    for each in broken:
        log.warning("the connector %s of %s was passed over: %s", each.platform, each.package.words, each.sentence)
    return Installed(found, packages, tuple(broken))


def _points(broken: list[Broken]) -> list[EntryPoint]:
    """None when a package's own list of them cannot be read: Python reads all packages' lists at once."""
    try:
        return sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value))
    except Exception as error:
        broken.append(Broken("?", Package("?", "", ""), f"The entry points cannot be read. {_words_of(error)}"))
        return []


def _package(point: EntryPoint) -> Package:
    made_by = point.dist
    try:
        module = point.module
    # Python's own answer to a value that names no module.
    except AttributeError:
        module = ""
    # A package without metadata has neither, whatever the types say.
    return Package((made_by.name if made_by else "") or "?", (made_by.version if made_by else "") or "", module)


def _words_of(error: BaseException) -> str:
    """Its own sentence may fail as well."""
    try:
        return f"{type(error).__name__}: {error}"[:300]
    except Exception:
        return type(error).__name__


def _loaded(point: EntryPoint) -> Connector:
    if not _NAME.fullmatch(point.name):
        raise ValueError("its name must be small letters, digits and _.")
    connector: Connector = point.load()
    manifest = getattr(connector, "manifest", None)
    if not isinstance(manifest, Manifest):
        raise TypeError("it has no manifest.")
    if manifest.name != point.name:
        raise ValueError(f"its manifest calls it {manifest.name!r}.")
    missing = [name for name in _MUST if not _can_be_called(connector, name)]
    if missing:
        raise TypeError(f"it lacks {', '.join(missing)}.")
    return connector


def _can_be_called(connector: Connector, name: str) -> bool:
    value: Callable[..., object] | None = getattr(connector, name, None)
    return callable(value)
