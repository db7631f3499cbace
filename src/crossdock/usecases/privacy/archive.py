"""A ZIP of a person's data, written piece by piece: of each section a JSON file and a CSV file, the pictures of their
listings and of what they sent back, and a page to begin with. Nothing of it is held in memory but a page of rows.
"""

import csv
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from html import escape
from io import RawIOBase, TextIOWrapper
from typing import IO, Any

from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder

from crossdock.domain.privacy.table import PERSONAL, Then
from crossdock.domain.storable import MARK, plain
from crossdock.domain.values import Money
from crossdock.domain.wording import moment
from crossdock.store.models import Listing, ReturnPicture
from crossdock.usecases.privacy.sections import ACCOUNT, BOUGHT, RETURNED, Row, Section
from crossdock.usecases.privacy.shop_sections import SOLD
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.record.brand import site_name

PAGE = 500
PIECE = 256 * 1024
# What a CSV file keeps in memory before it goes to the disk, while its JSON file is written.
_SPOOL = 1024 * 1024


def sections_of(whose: Whose) -> tuple[Section, ...]:
    return (*ACCOUNT, *BOUGHT, *(SOLD if whose.seller is not None else ()))


class Pieces(RawIOBase):
    """What `zipfile` writes, handed on in pieces of about one size; it cannot be gone back in."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take, self._kept = take, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._kept += data
        while len(self._kept) >= PIECE:
            self._take(bytes(self._kept[:PIECE]))
            del self._kept[:PIECE]
        return len(data)

    def close(self) -> None:
        if not self.closed and self._kept:
            self._take(bytes(self._kept))
            self._kept.clear()
        super().close()


def write_archive(
    *, whose: Whose, take: Callable[[bytes], object], told: Callable[[int, int], None], now: datetime
) -> int:
    """Hands the file on by `take`, and by `told` how many sections are written with how many rows together. How many
    rows it holds.
    """
    many, counted = 0, list[tuple[Section, int]]()
    pieces = Pieces(take)
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_DEFLATED) as archive:
        for section in sections_of(whose):
            told(len(counted), many)
            rows = _write_section(archive, section, whose, now)
            counted.append((section, rows))
            many += rows
        _write_pictures(archive, whose)
        _write_what_came_back(archive, whose)
        archive.writestr("index.html", _index(whose, counted, now))
    pieces.close()
    return many


def rows_of(section: Section, whose: Whose) -> Iterator[Row]:
    """In the order in which they were written, a page at a time."""
    after: Any = None
    names, ways = list(section.columns), list(section.columns.values())
    while True:
        found = section.rows(whose).order_by("pk")
        page = list((found if after is None else found.filter(pk__gt=after)).values_list("pk", *ways)[:PAGE])
        for _, *values in page:
            row = dict(zip(names, values, strict=True))
            for name, way in section.columns.items():
                if way.endswith("_minor") and row[name] is not None:
                    row[name] = str(Money(row[name], row["currency"]))
            yield section.shape(row, whose)
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _write_section(archive: zipfile.ZipFile, section: Section, whose: Whose, now: datetime) -> int:
    many = 0
    with tempfile.SpooledTemporaryFile(_SPOOL, "w+b") as beside:
        lines = TextIOWrapper(beside, "utf-8", newline="", write_through=True)
        with _file(archive, f"json/{section.name}.json", now) as file:
            table = csv.writer(lines)
            for row in rows_of(section, whose):
                if not many:
                    lines.write(MARK)
                    table.writerow(row)
                file.write(b",\n" if many else b"[\n")
                file.write(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode())
                table.writerow([_cell(value) for value in row.values()])
                many += 1
            file.write(b"\n]\n" if many else b"[]\n")
        if many:
            lines.detach()
            beside.seek(0)
            with _file(archive, f"csv/{section.name}.csv", now) as file:
                while piece := beside.read(PIECE):
                    file.write(piece)
    return many


def _file(archive: zipfile.ZipFile, name: str, now: datetime) -> IO[bytes]:
    about = zipfile.ZipInfo(name, now.timetuple()[:6])
    about.compress_type = zipfile.ZIP_DEFLATED
    return archive.open(about, "w", force_zip64=True)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return plain(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False))
    return plain(value)


def _write_pictures(archive: zipfile.ZipFile, whose: Whose) -> None:
    """Those that were uploaded; a shop's own are at the shop's address."""
    if whose.seller is None:
        return
    own = Listing.objects.filter(seller=whose.seller, connection=None).exclude(images=[])
    seen = set[str]()
    for images in own.order_by("pk").values_list("images", flat=True).iterator():
        for url in images:
            name = str(url).rpartition("/")[2]
            if name in seen or not str(url).startswith("/media/") or not default_storage.exists(f"pictures/{name}"):
                continue
            seen.add(name)
            with default_storage.open(f"pictures/{name}") as picture, archive.open(f"pictures/{name}", "w") as file:
                while piece := picture.read(PIECE):
                    file.write(piece)


def _write_what_came_back(archive: zipfile.ZipFile, whose: Whose) -> None:
    """A row at a time: each holds a picture. One that shows two returns is one file."""
    rows = ReturnPicture.objects.filter(row__order__buyer=whose.person)
    for name in rows.order_by("name").values_list("name", flat=True).distinct():
        if (content := rows.filter(name=name).values_list("content", flat=True).first()) is not None:
            archive.writestr(f"{RETURNED}{name}.jpg", content)


def _index(whose: Whose, counted: Sequence[tuple[Section, int]], now: datetime) -> str:
    listed = "".join(
        f"<tr><td>{escape(section.title)}</td><td>{rows}</td><td><a href='json/{section.name}.json'>JSON</a>"
        + (f" <a href='csv/{section.name}.csv'>CSV</a>" if rows else "")
        + "</td></tr>"
        for section, rows in counted
    )
    account = "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(_cell(value))}</dd>"
        for row in rows_of(ACCOUNT[0], whose)
        for name, value in row.items()
    )
    stays = "".join(
        f"<li>{escape(one.what.capitalize())}: {escape(one.why)}</li>" for one in PERSONAL if one.then is not Then.GOES
    )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport'"
        " content='width=device-width, initial-scale=1'><meta name='color-scheme' content='light dark'>"
        f"<title>Your data at {escape(site_name())}</title><style>body{{font:16px/1.5 system-ui;max-width:60rem;"
        "margin:2rem auto;padding:0 1rem}td,th{text-align:left;padding:.25rem 1rem .25rem 0;vertical-align:top}"
        "dt{font-weight:600}dd{margin:0 0 .5rem}</style>"
        f"<h1>Your data at {escape(site_name())}</h1><p>As it was on {moment(now)}. Each list is a"
        " JSON file for programs and a CSV file for spreadsheets; an empty one has no CSV file.</p>"
        f"<dl>{account}</dl><table><thead><tr><th>List</th><th>Rows</th><th>Files</th></tr></thead><tbody>{listed}"
        "</tbody></table><h2>What is not in it</h2><p>Passwords, keys and secrets; what belongs to somebody else, such"
        " as who bought from your shop; and what our programs think of an order’s risk, which would tell whoever"
        f" defrauds how to go on.</p><h2>What stays when the account is deleted, and why</h2><ul>{stays}</ul></html>\n"
    )
