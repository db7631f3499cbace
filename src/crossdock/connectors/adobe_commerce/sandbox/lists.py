"""searchCriteria as Magento's collections take it: groups joined by AND, filters in a group by OR, and beyond the last
page the last one again (magento2#3787).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crossdock.connectors.adobe_commerce.sandbox.access import No
from crossdock.kit.sandbox import Doc

MOST = 300
_FILTER = re.compile(
    r"searchCriteria\[(?:filter_groups|filterGroups)\]\[(\d+)\]\[filters\]\[(\d+)\]\[(field|value|conditionType|condition_type)\]"
)
_SORT = re.compile(r"searchCriteria\[(?:sortOrders|sort_orders)\]\[(\d+)\]\[(field|direction)\]")
_PAGE = re.compile(r"searchCriteria\[(pageSize|page_size|currentPage|current_page)\]")
CONDITIONS: Mapping[str, Callable[[Any, str], bool]] = {
    "eq": lambda have, want: _text(have) == want.lower(),
    "in": lambda have, want: _text(have) in want.lower().split(","),
    "gt": lambda have, want: _text(have) > want,
    "gteq": lambda have, want: _text(have) >= want,
    "lteq": lambda have, want: _text(have) <= want,
}


def _text(value: Any) -> str:
    """Columns of text are compared without regard to case (utf8 general_ci)."""
    return str(value).lower()


def search(rows: Sequence[Doc], query: Mapping[str, str], known: Sequence[str], *, id_: str) -> Doc:
    """`id_` is what the column entity_id is called in a row. Raises No for what is not as documented."""
    groups: dict[str, dict[str, Doc]] = {}
    sorts: dict[str, Doc] = {}
    size, page = 0, 1
    for name, value in query.items():
        if found := _FILTER.fullmatch(name):
            part = found[3].replace("conditionType", "condition_type")
            groups.setdefault(found[1], {}).setdefault(found[2], {})[part] = value
        elif found := _SORT.fullmatch(name):
            sorts.setdefault(found[1], {})[found[2]] = value
        elif found := _PAGE.fullmatch(name):
            number = int(value) if value.isdigit() else 0
            size, page = (number, page) if "size" in found[1].lower() else (size, number)
        elif name != "fields":
            raise No(400, f"unknown parameter {name}")
    column = {"entity_id": id_}
    for asked in [row["field"] for group in groups.values() for row in group.values()]:
        if asked not in known:
            raise No(400, f"Column not found: 1054 Unknown column '{asked}' in 'where clause'")
    for group in groups.values():
        rows = [row for row in rows if any(_holds(row, one, column) for one in group.values())]
    for _, one in sorted(sorts.items(), reverse=True):
        key = column.get(one["field"], one["field"])
        if one["field"] not in known:
            raise No(400, f"Column not found: 1054 Unknown column '{one['field']}' in 'order clause'")
        back = one.get("direction", "ASC") == "DESC"
        rows = sorted(rows, key=lambda row, key=key: row[key], reverse=back)  # type: ignore[misc]
    if size > MOST:
        raise No(400, f"Maximum page size is {MOST}")
    total, size = len(rows), size or 20
    last = max(1, -(-total // size))
    begin = (min(max(page, 1), last) - 1) * size
    about = {"filter_groups": [], "page_size": size, "current_page": page}
    return {"items": list(rows[begin : begin + size]), "search_criteria": about, "total_count": total}


def _holds(row: Doc, one: Doc, column: Mapping[str, str]) -> bool:
    have = row.get(column.get(one["field"], one["field"]))
    return have is not None and CONDITIONS[one.get("condition_type", "eq")](have, one["value"])
