"""What the vendor's tables say of a resource (vendor.json: names and formats, no text), and its webservice's way with
XML and with filters (classes/webservice/WebserviceRequest.php, SQLUtils.php).
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any
from xml.parsers import expat

from crossdock.kit.sandbox import Doc

# Validate.php, CustomerNameValidator.php: what a format takes.
FORMATS = {
    "isUnsignedId": r"\d+",
    "isUnsignedInt": r"\d+",
    "isInt": r"-?\d+",
    "isBool": r"[01]",
    "isFloat": r"-?\d+(\.\d+)?",
    "isPrice": r"\d{1,10}(\.\d{1,9})?",
    "isNegativePrice": r"-?\d{1,10}(\.\d{1,9})?",
    "isGenericName": r"[^<>={}]*",
    "isCustomerName": r'(?!\s*$)(?:[^0-9!<>,;?=+()/\\@#"°*`{}_^$%:¤\[\]|.。]|[.。](?:\s|$))*',
    "isName": r'[^0-9!<>,;?=+()@#"°{}_$%:¤|]*',
    "isAddress": r"[^!<>?=+@{}_$%]*",
    "isCityName": r'[^!<>;?=+@#"°{}_$%]*',
    "isPostCode": r"[a-zA-Z 0-9-]+",
    "isPhoneNumber": r"[+0-9. ()/-]*",
    "isEmail": r"[^\s@<>]+@[^\s@<>]+\.[a-z]+",
    "isModuleName": r"[a-zA-Z0-9_-]+",
    "isTrackingNumber": r"[~:#,%&_=()\[\].? +\-@/a-zA-Z0-9]+",
    "isDate": r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?",
    "isMd5": r"[a-f0-9A-F]{32}",
    "isPasswd": r".{5,255}",
    "isMessage": r"[^<>{}]*",
}
_HTML = re.compile(r"<\s*script|<\s*(iframe|form|input|embed|object)|\bon[a-z]+\s*=", re.IGNORECASE)
DATES = ("date_add", "date_upd")


class No(Exception):
    """An error of the webservice: its status, its own code, and what it says."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@lru_cache
def tables() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = json.loads(files(__package__).joinpath("vendor.json").read_text("utf-8"))
    return read


def entities(body: bytes) -> list[Doc]:
    """The entities below the root, each field text, each association a list. Documents with a DTD are refused."""
    root: Doc = {"name": "", "text": "", "inner": []}
    stack = [root]

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        node: Doc = {"name": name, "text": "", "inner": []}
        stack[-1]["inner"].append(node)
        stack.append(node)

    def words(data: str) -> None:
        stack[-1]["text"] += data

    def doctype(*_: Any) -> None:
        raise No(500, 127, "XML error : a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, lambda name: stack.pop()
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = words, doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise No(500, 127, f"XML error : {error}") from None
    return [_entity(node) for node in root["inner"][0]["inner"]]


def _entity(node: Doc) -> Doc:
    return {
        each["name"]: {part["name"]: [_entity(row) for row in part["inner"]] for part in each["inner"]}
        if each["name"] == "associations"
        else each["text"].strip()
        for each in node["inner"]
    }


def check(resource: str, entity: Mapping[str, Any]) -> None:
    """ObjectModel::validateFields, and the names that a resource has. PrestaShop itself overlooks unknown names."""
    known = tables()[resource]
    for name in entity:
        if name not in known and name != "associations":
            raise No(400, 0, f"Not as documented: {resource} has no {name}")
    for name, (format_, required, size, writable, _) in known.items():
        value = entity.get(name, "")
        if name in entity and not writable:
            raise No(400, 93, f'parameter "{name}" not writable. Please remove this attribute of this XML')
        if required and value == "" and name != "id":
            raise No(400, 85, f'Validation error: "Property {resource}->{name} is empty."')
        if value == "":
            continue
        fits = re.fullmatch(FORMATS.get(format_, r"(?s:.*)"), value) and not (size and len(value) > size)
        if not fits or (format_ == "isCleanHtml" and _HTML.search(value)):
            raise No(400, 85, f'Validation error: "Property {resource}->{name} is not valid"')


def listed(resource: str, rows: list[Doc], query: Mapping[str, str]) -> list[Doc]:
    """Filtered, sorted and cut as manageFilters does."""
    dated, known = bool(query.get("date")), tables()[resource]
    for name, value in query.items():
        if not (found := re.fullmatch(r"filter\[(\w+)\]", name)):
            continue
        field = found[1]
        if field not in known or (field in DATES and not dated):
            raise No(400, 32, "This filter does not exist")
        if not value:
            raise No(400, 33, f'The filter "{field}" is malformed.')
        if not known[field][4]:
            raise No(
                400, 34, f'The field "{field}" is dynamic. It is not possible to filter GET query with this field.'
            )
        rows = [row for row in rows if fits(str(row.get(field, "")), value)]
    for key in reversed(query.get("sort", "").strip("[]").split(",")):
        field, _, way = key.rpartition("_")
        if key and (way not in ("ASC", "DESC") or field not in known or (field in DATES and not dated)):
            raise No(400, 38, "Unable to filter by this field.")
        if key:
            rows = sorted(rows, key=lambda row: _sortable(row.get(field, "")), reverse=way == "DESC")
    begin, _, many = query.get("limit", "").partition(",")
    if many:
        return rows[int(begin) : int(begin) + int(many)]
    return rows[: int(begin)] if begin else rows


def _sortable(value: Any) -> tuple[int, str]:
    text = str(value)
    return (int(text), "") if text.isdigit() else (0, text)


def fits(value: str, asked: str) -> bool:
    """SQLUtils::getSQLRetrieveFilter; texts are compared without regard to case."""
    parts = re.fullmatch(r"(.*)\[(.*)\](.*)", asked)
    if parts is None:
        return value.lower() == asked.lower()
    before, inner, after = parts[1], parts[2], parts[3]
    if before == "%" or after == "%":
        wanted, value = inner.lower(), value.lower()
        if before and after:
            return wanted in value
        return value.endswith(wanted) if before else value.startswith(wanted)
    if "|" in inner[1:]:
        return value.lower() in inner.lower().split("|")
    if interval := re.fullmatch(r"([\d.:\-\s]+),([\d.:\-\s]+)", inner):
        low, high = sorted(interval.groups())
        return low <= value <= high
    return value.lower() == inner.lower()


def shown(resource: str, rows: list[Doc], query: Mapping[str, str]) -> list[Doc]:
    """The fields that are asked for; empty ones vanish (seen on 8.0.4)."""
    display = query.get("display", "")
    if display != "full":
        names = display.strip("[]").split(",")
        for name in names:
            if name not in tables()[resource]:
                raise No(400, 35, f'Unable to display this field "{name}".')
        rows = [{name: row[name] for name in names if name in row} for row in rows]
    return [{name: value for name, value in row.items() if value not in ("", None)} for row in rows]
