"""A label provider, opened: with the operator's keys and its own folder below the marketplace's data, since a
provider's code may read no settings.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from crossdock.kit.carrier import Carrier
from crossdock.kit.discover import NoSuchFolder, carriers

Keys = tuple[tuple[str, str], ...]


def open_carrier(name: str, data: Path, keys: Iterable[tuple[str, str]] = ()) -> Carrier:
    """One per process, name, folder and keys.

    `data` is the marketplace's data folder; what the provider keeps lies in `carriers/<name>` there.
    """
    return _opened(name, data, tuple(keys))


@lru_cache
def _opened(name: str, data: Path, keys: Keys) -> Carrier:
    found = carriers()
    if name not in found:
        raise NoSuchFolder(f"There is no {name!r} among the carriers; there are: {', '.join(found) or 'none'}.")
    return found[name].opened(data / "carriers" / name, dict(keys))
