"""A table that somebody exported: its text, and its rows one by one with their lines, so that a row which is badly
written concerns itself alone.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from crossdock.cli.trouble import Trouble

LARGEST = 256 * 1024 * 1024
# (line of its begin, its cells or why it cannot be read)
Table = Iterator[tuple[int, list[str] | str]]
_LONGEST_ROW = 20


def table_of(text: str) -> Table:
    """Line by line, so that a quotation mark that is never closed swallows its own row and no other."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # Excel's own note of what lies between the cells.
    noted = re.fullmatch(r"sep=(.)", lines[0].strip(), re.IGNORECASE)
    delimiter = noted[1] if noted else _delimiter(text)
    begin = 1 if noted else 0
    while begin < len(lines):
        # A row may go over several lines, where its quotation marks say so.
        end, cells = begin + 1, _cells(lines[begin], delimiter)
        while isinstance(cells, str) and '"' in lines[begin] and end < min(begin + _LONGEST_ROW, len(lines)):
            end += 1
            cells = _cells("\n".join(lines[begin:end]), delimiter)
        yield begin + 1, cells
        begin = end if isinstance(cells, list) else begin + 1


def _cells(line: str, delimiter: str) -> list[str] | str:
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return "not written as CSV"


def text_of(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise Trouble(f"{path} is larger than 256 MB. Give it in parts.")
        raw = path.read_bytes()
    except OSError as error:
        raise Trouble(f"{path} cannot be read: {error.strerror or error}.") from None
    for encoding in ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip():
            raise Trouble(f"{path} is empty.")
        return text
    raise Trouble(f"{path} is not written in UTF-8. Save it as CSV UTF-8 and try again.")


def _delimiter(text: str) -> str:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max(",;\t|", key=first.count)
