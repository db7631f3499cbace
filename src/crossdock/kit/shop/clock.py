"""Times that a platform writes in its shop's own zone and without naming it: read, and asked for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crossdock.kit.json_node import Node


def moment(node: Node, key: str, zone: ZoneInfo, after: str = "") -> datetime | None:
    """None where it is absent or odd. In the hour that comes twice it is the later one where the earlier one is before
    `after` (UTC, as a cursor has it).
    """
    naive = node.moment(key, naive_utc=True)
    if naive is None:
        return None
    early, late = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return late if after and early.strftime("%Y-%m-%dT%H:%M:%S") < after else early


def since(after: str, zone: ZoneInfo) -> str:
    """The shop's own time at `after`, an hour earlier where its clocks are put back within the next one."""
    at = datetime.fromisoformat(after).replace(tzinfo=UTC)
    here, soon = at.astimezone(zone), (at + timedelta(hours=1)).astimezone(zone)
    back = (here.utcoffset() or timedelta()) - (soon.utcoffset() or timedelta())
    return (here.replace(tzinfo=None) - max(back, timedelta())).strftime("%Y-%m-%d %H:%M:%S")
