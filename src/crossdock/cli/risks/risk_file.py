"""A file of somebody's own payments, for `crossdock risk report --file`: named columns in any order, any of them may be
missing. What cannot be read is left out and counted; nothing is guessed.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path

from crossdock.cli.csv_table import Table, table_of, text_of
from crossdock.cli.trouble import Trouble
from crossdock.demo.fraud import Attempt
from crossdock.domain.wording import counted

# Without times nothing may look fast: rows then lie so far apart.
_APART = timedelta(hours=25)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MOST_MINOR = 10**15

# field -> the names it goes by, written in small letters and digits alone.
NAMES: dict[str, str] = {
    "id": "id transactionid transid txid txnid orderid paymentid chargeid reference",
    "at": "at timestamp datetime transactiondate transactiondatetime transactiontimestamp transactiontime created"
    " createdat placedat orderdate paidat paymentdate purchasedate purchasetime eventtime occurredat date time",
    "buyer": "buyer buyerid user userid customer customerid account accountid client clientid payer payerid shopper"
    " shopperid cardholder memberid",
    "seller": "seller sellerid merchant merchantid shop shopid store storeid vendor vendorid recipient",
    "card": "card cardnumber cardid cardfingerprint cardhash cardtoken fingerprint pan maskedcard maskedpan instrument"
    " instrumentid",
    "device": "device deviceid devicefingerprint devicehash devicetoken browserid",
    "ip": "ip ipaddress ipaddr clientip buyerip customerip",
    "email": "email mail emailaddress customeremail buyeremail useremail",
    "amount": "amount transactionamount transactionvalue amt total totalamount ordertotal orderamount price value sum"
    " paymentamount purchasevalue purchaseamount",
    "minor": "amountminor minor amountcents cents totalminor amountincents",
    "currency": "currency currencycode",
    "units": "units quantity qty items",
    "label": "label fraud isfraud fraudulent isfraudulent hascbk cbk chargeback ischargeback haschargeback chargedback"
    " class target fraudflag isfraudtransaction disputed fraudlabel",
    "known_at": "knownat labeldate labeledat labelledat chargebackdate chargebackat cbkdate disputedat disputedate"
    " reportedat",
    "paid": "paid captured approved status paymentstatus",
    "country": "country shipcountry shippingcountry shiptocountry destinationcountry",
    "region": "region state shippingstate shipstate province",
    "postal_code": "postalcode zip zipcode postcode shippingzip shippingpostalcode",
    "line1": "line1 address street address1 addressline1 shippingaddress addressid shipaddress",
    "phone": "phone phonenumber telephone mobile",
    "billing_country": "billingcountry billcountry",
    "card_country": "cardcountry issuercountry bincountry cardissuercountry",
    "postal_code_check": "postalcodecheck zipcheck avs avsresult avscheck",
    "cvc_check": "cvccheck cvvcheck cvvresult cvcresult cvv cvc",
    "three_d_secure": "threedsecure 3ds 3dsecure threeds authentication",
    "funding": "funding cardfunding cardtype",
    "ip_country": "ipcountry ipcountrycode",
    "joined_at": "joinedat accountcreated accountcreatedat signupdate signuptime signupat registered registeredat",
}
_FIELD_OF = {alias: name for name, text in NAMES.items() for alias in text.split()}
_TRUE = frozenset(["true", "t", "yes", "y", "1", "1.0", "fraud", "fraudulent", "bad", "chargeback", "cbk", "disputed"])
_FALSE = frozenset(
    ["false", "f", "no", "n", "0", "0.0", "honest", "legit", "legitimate", "genuine", "good", "ok", "none"]
)
_NOT_PAID = frozenset(
    [
        "declined",
        "failed",
        "refused",
        "rejected",
        "denied",
        "false",
        "f",
        "no",
        "n",
        "0",
        "0.0",
        "canceled",
        "cancelled",
        "error",
    ]
)
_WAS_PAID = frozenset(
    [
        "paid",
        "captured",
        "approved",
        "succeeded",
        "success",
        "accepted",
        "settled",
        "completed",
        "true",
        "t",
        "yes",
        "y",
        "1",
        "1.0",
        "ok",
        "refunded",
    ]
)
_EMPTY = frozenset(("", "null", "none", "nan", "na", "n/a", "nil", "-", "\\n"))
_CHECKS = {"pass": "pass", "fail": "fail", "match": "pass", "nomatch": "fail", "y": "pass", "n": "fail"}
_CHECKS |= {"true": "pass", "false": "fail", "1": "pass", "0": "fail", "m": "pass", "passed": "pass", "failed": "fail"}


# Of the lines that are left out for one reason so many are named.
_SHOWN = 10


class _Odd(Exception):
    """Why one row is left out, in words that fit into a list."""


@dataclass(slots=True)
class Rows:
    """`attempts` in the order of their time. `words` say what was read, what was left out and why."""

    attempts: list[Attempt]
    used: dict[str, str]
    ignored: list[str]
    read: int
    # why -> the lines
    left_out: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def words(self) -> list[str]:
        found = [
            f"{counted(self.read, 'row')} read, {counted(len(self.attempts), 'row')} judged or known as history.",
            "Columns used: " + ", ".join(f"{name} ({column})" for name, column in self.used.items()) + ".",
        ]
        if self.ignored:
            found.append("Columns not used: " + ", ".join(self.ignored[:40]) + ".")
        for why, lines in sorted(self.left_out.items(), key=lambda item: -len(item[1])):
            shown = ", ".join(map(str, lines[:_SHOWN])) + (" and more" if len(lines) > _SHOWN else "")
            where = "line" if len(lines) == 1 else "lines"
            found.append(f"Left out: {counted(len(lines), 'row')}, {why} ({where} {shown}).")
        return found + self.notes


def rows_of(path: Path, *, delay: timedelta) -> Rows:
    """Raises Trouble when nothing in it can be judged.

    `delay`: so long after the payment a fraud becomes known, where no column says when.
    """
    table = table_of(text_of(path))
    header = next((cells for _, cells in table if isinstance(cells, list)), [])
    columns, ignored, notes = _columns(header)
    if not columns:
        raise Trouble(
            "None of the columns has a name that is known. Give the first line names such as: time, amount, buyer,"
            " card, device, seller, label."
        )
    rows = Rows([], {name: header[place].strip() for name, place in columns.items()}, ignored, 0, notes=notes)
    if "at" not in columns:
        rows.notes.append(
            "There is no column of times: the rows are taken in their order, so nothing can be said of speed."
        )
    if "label" not in columns:
        rows.notes.append("There is no column of labels: the levels are counted, and nothing says how good they are.")
    _read(table, columns, len(header), rows, delay)
    _label_the_rest(rows)
    if not rows.attempts:
        raise Trouble("No row of the file can be judged. " + " ".join(rows.words()[2:]))
    rows.attempts.sort(key=lambda one: one.at)
    return rows


def _read(table: Table, columns: dict[str, int], width: int, rows: Rows, delay: timedelta) -> None:
    seen: set[str] = set()
    sellers: dict[str, int] = {}
    for number, (line, cells) in enumerate(table, 1):
        if isinstance(cells, list) and not any(cell.strip() for cell in cells):
            continue
        rows.read += 1
        try:
            if not isinstance(cells, list):
                raise _Odd(cells)
            if len(cells) < width or any(cell.strip() for cell in cells[width:]):
                raise _Odd("another number of columns than the first line")
            row = {name: _value(cells[place]) for name, place in columns.items()}
            if row.get("id") and row["id"] in seen:
                raise _Odd("a row with this identifier came before")
            rows.attempts.append(_attempt(row, number, sellers, delay))
            seen.add(row.get("id", ""))
        except _Odd as odd:
            rows.left_out.setdefault(str(odd), []).append(line)


def _label_the_rest(rows: Rows) -> None:
    """Many files mark the frauds and leave the other cells empty."""
    marked = [one for one in rows.attempts if one.labelled]
    if marked and len(marked) < len(rows.attempts) and all(one.fraud for one in marked):
        rows.attempts = [replace(one, labelled=True) for one in rows.attempts]
        rows.notes.append("Only frauds have a label: a row without one is taken as honest.")


def _columns(header: list[str]) -> tuple[dict[str, int], list[str], list[str]]:
    """(field -> place, columns that mean nothing here, what is to be said). Of two names for one thing the one that is
    earlier in NAMES counts.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    ignored = []
    for place, name in enumerate(header):
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        kind = _FIELD_OF.get(plain)
        if kind is None:
            if name.strip():
                ignored.append(name.strip()[:60])
            continue
        found.setdefault(kind, []).append((NAMES[kind].split().index(plain), place))
    columns = {kind: min(places)[1] for kind, places in found.items()}
    notes = []
    for kind, places in found.items():
        if kind == "at" and len(places) == 2 and _split_time(header, [place for _, place in places]):
            date, clock = sorted((place for _, place in places), key=lambda place: "time" in header[place].lower())
            columns["at"], columns["clock"] = date, clock
        elif len(places) > 1:
            others = ", ".join(header[place].strip() for _, place in places if place != columns[kind])
            notes.append(f"For {kind} the column {header[columns[kind]].strip()} is used, not {others}.")
    return dict(sorted(columns.items(), key=lambda item: item[1])), ignored, notes


def _split_time(header: list[str], places: list[int]) -> bool:
    names = sorted(re.sub(r"[^a-z]", "", header[place].lower()) for place in places)
    return names[0].endswith("date") and names[1].endswith("time")


def _value(text: str) -> str:
    plain = text.strip()
    if "\0" in plain:
        raise _Odd("a byte that no text has")
    return "" if plain.lower() in _EMPTY else plain


def _attempt(row: dict[str, str], number: int, sellers: dict[str, int], delay: timedelta) -> Attempt:
    at = _EPOCH + number * _APART if "at" not in row else _when(_full(row), "time")
    if at is None:
        raise _Odd("no time")
    fraud = _label(row.get("label", ""))
    known = _when(row.get("known_at", ""), "date of the label") if fraud else None
    seller = row.get("seller", "")
    country = row.get("country", "").upper()
    return Attempt(
        at=at,
        buyer=_key(row.get("buyer", ""), 40),
        name="",
        email=row.get("email", "").lower()[:254],
        joined_at=_when(row.get("joined_at", ""), "date of the account"),
        # A seller of their own for each row that names none: nothing is known of it.
        seller=sellers.setdefault(seller, len(sellers) + 1) if seller else -number,
        amount_minor=_amount(row),
        units=_units(row.get("units", "")),
        card=_key(row.get("card", ""), 0),
        card_country=_country(row.get("card_country", "")),
        funding=row.get("funding", "").lower()[:20],
        device=_key(row.get("device", ""), 60),
        ip=_key(row.get("ip", ""), 45),
        ip_country=_country(row.get("ip_country", "")) or None,
        hosting=None,
        line1=row.get("line1", ""),
        region=row.get("region", ""),
        postal_code=row.get("postal_code", ""),
        country=country if len(country) == 2 else "",
        billing_country=_country(row.get("billing_country", "")),
        phone=row.get("phone", ""),
        postal_code_check=_CHECKS.get(row.get("postal_code_check", "").lower(), ""),
        cvc_check=_CHECKS.get(row.get("cvc_check", "").lower(), ""),
        three_d_secure={"pass": "authenticated", "fail": "failed"}.get(
            _CHECKS.get(row.get("three_d_secure", "").lower(), ""), ""
        ),
        paid=_paid(row.get("paid", "")),
        fraud=bool(fraud),
        labelled=fraud is not None,
        known_at=(known or at + delay) if fraud else None,
        currency=row.get("currency", "").upper()[:3] or "XXX",
    )


def _full(row: dict[str, str]) -> str:
    return f"{row['at']}T{row['clock']}" if row.get("clock") and row["at"] else row["at"]


def _key(text: str, most: int) -> str:
    """A name of a thing as it is, or its digest where it is long; a card's is always a digest."""
    return text if len(text) <= most else sha256(text.encode()).hexdigest()[:40]


def _country(text: str) -> str:
    return text.upper() if len(text) == 2 and text.isalpha() else ""


def _when(text: str, what: str) -> datetime | None:
    if not text:
        return None
    try:
        if re.fullmatch(r"\d{9,10}(\.\d+)?|\d{12,13}", text):
            seconds = float(text)
            found = datetime.fromtimestamp(seconds / 1000 if seconds > 10**11 else seconds, UTC)
        else:
            # 2026/11/29 14:05:00.1234567 +0200 and the like
            plain = re.sub(r"^(\d{4})[/.](\d\d?)[/.](\d\d?)", r"\1-\2-\3", re.sub(r" ?(UTC|GMT)$", "Z", text))
            plain = re.sub(r"(\d) ?([+-]\d\d:?\d\d)$", r"\1\2", re.sub(r"(\.\d{6})\d+", r"\1", plain))
            found = datetime.fromisoformat(re.sub(r"-(\d)(?=[-T ]|$)", r"-0\1", plain))
    except (ValueError, OverflowError, OSError):
        raise _Odd(f"a {what} that cannot be read; write 2026-11-29T14:05:00") from None
    if not 1980 < found.year < 2200:
        raise _Odd(f"a {what} of another age")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _amount(row: dict[str, str]) -> int:
    if row.get("minor"):
        return _number(row["minor"], 1)
    return _number(row["amount"], 100) if row.get("amount") else 0


def _number(text: str, times: int) -> int:
    if text.startswith("(") and text.endswith(")"):
        raise _Odd("an amount below 0 or beyond all measure")
    plain = re.sub(r"^[^\d.,+-]{0,4}\s*|\s*[^\d.,]{0,4}$", "", text)
    plain = re.sub(r"(?<=\d)[\s'\N{RIGHT SINGLE QUOTATION MARK}_](?=\d{3})", "", plain)
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})*,\d{1,2}|[+-]?\d+,\d{1,2}", plain):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        found = Decimal(plain) * times
    except InvalidOperation:
        raise _Odd("an amount that is no number") from None
    if not found.is_finite() or not 0 <= found < _MOST_MINOR:
        raise _Odd("an amount below 0 or beyond all measure")
    return int(found.to_integral_value())


def _units(text: str) -> int:
    return int(text) if text.isdecimal() and 0 < int(text[:9]) == int(text) else 1


def _label(text: str) -> bool | None:
    plain = text.lower()
    if not plain:
        return None
    if plain in _TRUE:
        return True
    if plain in _FALSE:
        return False
    raise _Odd("a label that is neither TRUE nor FALSE")


def _paid(text: str) -> bool:
    plain = text.lower()
    if not plain or plain in _WAS_PAID:
        return True
    if plain in _NOT_PAID:
        return False
    raise _Odd("a status that says neither paid nor declined")
