"""Tracking numbers for many orders at once, out of a spreadsheet: which column is what, and what a spreadsheet has
spoilt on the way.
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, replace

from crossdock.domain.shipping import follow, plain
from crossdock.domain.tracking import recognise

MOST_BYTES = 1_000_000
MOST_ROWS = 2_000
_LONGEST = {"order": 60, "tracking": 120, "carrier": 80}
# Letters alone, so that "Order #", "order_id" and "OrderNumber" are read alike; in the order in which they are taken
# when a file has several. Seen in files of tracking plugins, label programs and carriers' portals; the sources stand
# with the tests (tests/cases/test_tracking_files.py).
_NAMES = {
    "order": (
        "order ordernumber orderno ordernr ordernum orderid reference orderreference orderref channelreference"
        " salesordernumber externalorderid customerreference bestellnummer auftragsnummer bestellung sendungsreferenz"
        " referenz numerodecommande ncommande commande bestelnummer numerodepedido pedido ordername name"
    ),
    "tracking": (
        "tracking trackingnumber trackingno trackingnr trackingid trackingcode shipmenttracking"
        " shipmenttrackingnumber trackingnumbers trackandtrace tracktrace consignmentnumber parcelnumber waybillnumber"
        " awbnumber awb sendungsnummer paketnummer trackingnummer numerodesuivi suivi numerodeseguimiento"
        " codigodeseguimiento"
    ),
    "carrier": (
        "carrier carriername courier couriername trackingcompany trackingprovider customtrackingprovider"
        " shippingcarrier shippingcompany shippingprovider shipmentprovider shippedwith carriercode"
        " versanddienstleister paketdienst transporteur transportista"
    ),
}
# Under this heading a shop writes its own numbers ("#1001"), never ours.
_OF_SHOP = frozenset({"name", "ordername"})
# The first line by which a spreadsheet is told what separates the columns; it shows none of it.
_SEP = re.compile(r"""\s*"?sep=(.)"?[ \t]*\n""", re.IGNORECASE)
_SHORTENED = re.compile(r"[+-]?\d+([.,]\d+)?E[+]?\d+|\d+[.,]0", re.IGNORECASE | re.ASCII)
SPOILT = (
    "A spreadsheet has shortened this number, so its digits are lost. Format the column as text, fill it again, and"
    " copy it then."
)


class Unreadable(Exception):
    """The whole text cannot be used. The message says what to do."""


@dataclass(frozen=True, slots=True)
class PastedRow:
    """`place` is the line as a spreadsheet counts it.

    `wrong` says why this row cannot be used, whatever the order is. `of_shop`: the order's number is the shop's.
    """

    place: int
    order: str
    tracking: str
    carrier: str
    wrong: str = ""
    of_shop: bool = False


def text_of(content: bytes) -> str:
    """Raises Unreadable."""
    if len(content) > MOST_BYTES:
        raise Unreadable("This file is larger than 1 MB. Split it.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif (without_mark := _utf16(content)) is not None:
        encoding = without_mark
    elif b"\0" in content:
        raise Unreadable("This is no text file. Save the sheet as CSV and choose that file.")
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        if encoding.startswith("utf-16"):
            raise Unreadable("This is no text file. Save the sheet as CSV and choose that file.") from None
        return content.decode("cp1252", errors="replace")


def _utf16(content: bytes) -> str | None:
    """UTF-16 that was saved without its mark: of plain letters every second byte is zero."""
    if len(content) < 4 or len(content) % 2:
        return None
    half, odd, even = len(content) // 2, content[1::2].count(0), content[::2].count(0)
    if odd > half * 0.6 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.6 and not odd else None


def rows_in(text: str) -> list[PastedRow]:
    """Raises Unreadable."""
    if len(text.encode("utf-8", errors="replace")) > MOST_BYTES:
        raise Unreadable("This is more than 1 MB. Paste it in parts.")
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    told = _SEP.match(clean)
    clean = clean[told.end() :] if told else clean
    cut = told[1] if told and told[1] not in '"\n' else _delimiter(clean)
    try:
        table = [
            (i, cells)
            for i, cells in enumerate(csv.reader(io.StringIO(clean), delimiter=cut), 1)
            if any(map(str.strip, cells))
        ]
    except csv.Error:
        raise Unreadable(
            "A quotation mark is opened and never closed, or a field is endless. Check the text."
        ) from None
    if not table:
        raise Unreadable("Paste at least one line: order number, tracking number.")
    names = [_name(cell) for cell in table[0][1]]
    columns = _columns(names)
    body = table[1:] if columns else table
    if not body:
        raise Unreadable("There is only a line of headings. Paste at least one order below it.")
    if len(body) > MOST_ROWS:
        raise Unreadable(f"There are {len(body):,} lines; at most {MOST_ROWS:,} go at once. Paste them in parts.")
    of_shop = bool(columns) and names[columns["order"]] in _OF_SHOP
    columns = columns or {"order": 0, "tracking": 1, "carrier": 2}
    return [replace(_row(place, cells, columns), of_shop=of_shop) for place, cells in body]


def _delimiter(text: str) -> str:
    """The one of the first line; a comma may stand within a quoted title."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    found = max("\t;,|", key=bare.count)
    if first and not bare.count(found):
        raise Unreadable("Put a comma, a semicolon or a tab between order number and tracking number.")
    return found


def _name(cell: str) -> str:
    """Letters alone, without accents."""
    return "".join(re.findall(r"[a-z]", unicodedata.normalize("NFKD", cell).lower()))


def _columns(names: list[str]) -> dict[str, int]:
    """Where each column is; empty when the first line is no heading. Raises Unreadable for half a heading."""
    found = {
        what: names.index(known[0])
        for what, some in _NAMES.items()
        if (known := [name for name in some.split() if name in names])
    }
    if not found:
        return {}
    for what, words in (("order", "“order”"), ("tracking", "“tracking number”")):
        if what not in found:
            raise Unreadable(f"The line of headings has no column {words}.")
    return found


def _row(place: int, cells: list[str], columns: dict[str, int]) -> PastedRow:
    value = {
        what: "".join(letter for letter in cells[i].strip() if letter.isprintable()) if i < len(cells) else ""
        for what, i in columns.items()
    }
    order, tracking, carrier = (value.get(what, "") for what in ("order", "tracking", "carrier"))
    # Spreadsheets keep digits as text behind an apostrophe, or as ="...".
    tracking = re.sub(r'^="?|^\'|"$', "", tracking)
    wrong = _wrong(order, tracking, carrier)
    return PastedRow(place, order.lstrip("#").strip()[:60], tracking[:120], carrier[:80], wrong)


def _wrong(order: str, tracking: str, carrier: str) -> str:
    if not order.lstrip("#").strip():
        return "The order number is missing."
    if not tracking:
        return "The tracking number is missing."
    if any(_SHORTENED.fullmatch(cell.replace(" ", "")) for cell in (tracking, carrier)) or _rounded(tracking):
        return SPOILT
    if whole := _beheaded(tracking, carrier):
        return (
            f"A spreadsheet has dropped the zero at the beginning, it seems: {whole} is a FedEx number. Enter that, or"
            " name the carrier if it is another one's."
        )
    for what, value in (("order", order), ("tracking", tracking), ("carrier", carrier)):
        if len(value) > _LONGEST[what]:
            return f"The {'tracking number' if what == 'tracking' else what} is too long."
    return "" if len(re.findall(r"\w", tracking)) >= 4 else "This tracking number is too short."


def _beheaded(tracking: str, carrier: str) -> str:
    """The number with its zero in front, where that makes a FedEx number of what is nobody's; empty otherwise."""
    digits, house = plain(tracking), follow("", named=carrier, url="")[0]
    if house not in ("", "FedEx") or not (digits.isascii() and digits.isdigit() and len(digits) in (11, 14)):
        return ""
    # Theirs have twelve digits or fifteen, so whose carrier is named needs no check digit to look odd.
    odd = house == "FedEx" or (not recognise(digits) and recognise(f"0{digits}") == "FedEx")
    return f"0{digits}" if odd else ""


def _rounded(tracking: str) -> bool:
    """Spreadsheets keep fifteen digits and make noughts of the others."""
    digits = tracking.replace(" ", "")
    return digits.isascii() and digits.isdigit() and len(digits) >= 20 and not digits[15:].strip("0")
