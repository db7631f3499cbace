"""A payout provider, opened: with the operator's keys and its own folder below the marketplace's data, since a
provider's code may read no settings.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from crossdock.kit.discover import NoSuchFolder, payout_banks
from crossdock.kit.payout import PayoutBank

Keys = tuple[tuple[str, str], ...]


def open_bank(name: str, data: Path, keys: Iterable[tuple[str, str]] = ()) -> PayoutBank:
    """One per process, name, folder and keys.

    `data` is the marketplace's data folder; what the provider keeps lies in `payouts/<name>` there.
    """
    return _opened(name, data, tuple(keys))


@lru_cache
def _opened(name: str, data: Path, keys: Keys) -> PayoutBank:
    found = payout_banks()
    if name not in found:
        raise NoSuchFolder(f"There is no {name!r} among the payouts; there are: {', '.join(found) or 'none'}.")
    return found[name].opened(data / "payouts" / name, dict(keys))
