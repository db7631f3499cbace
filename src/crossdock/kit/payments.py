"""A payment provider, opened: with its own folder below the marketplace's data, since a provider's code may read no settings."""

from functools import lru_cache
from pathlib import Path

from crossdock.kit.discover import NoSuchFolder, gateways
from crossdock.kit.gateway import Gateway


@lru_cache
def open_gateway(name: str, data: Path) -> Gateway:
    """One per process, name and folder. `data` is the marketplace's data folder; what the provider keeps lies in `payments/<name>` there."""
    found = gateways()
    if name not in found:
        raise NoSuchFolder(f"There is no {name!r} among the payments; there are: {', '.join(found) or 'none'}.")
    return found[name].opened(data / "payments" / name)
