"""One drawing, 4 x 6 inches at 203 dots per inch, as PDF, PNG and ZPL. A bar is three dots wide, so that any printer's
dots fit it exactly.

Letters beyond Latin-1 are written without their accents, or as "?": label printers have no others.
"""

import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from crossdock.carriers.sandbox.code128 import widths
from crossdock.domain.values import Address

WIDE, HIGH, DPI = 812, 1218, 203
BAR = 3
SAMPLE = "SAMPLE - NO POSTAGE"


@dataclass(frozen=True, slots=True)
class Text:
    """`y` is the top of the letters, `size` their height, both in dots."""

    x: int
    y: int
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    y: int


@dataclass(frozen=True, slots=True)
class Bars:
    x: int
    y: int
    height: int
    elements: tuple[str, ...]


Mark = Text | Rule | Bars


def plain(text: str) -> str:
    """What every printer can write."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" else "?" for letter in bare)


def label(
    *,
    brand: str,
    service: str,
    start: Address,
    end: Address,
    barcode: tuple[str, ...],
    number: str,
    notes: Sequence[str],
) -> tuple[Mark, ...]:
    """`barcode`: the elements with their application identifiers; `notes` are small lines at the foot."""
    wide = sum(widths(barcode)) * BAR
    marks: list[Mark] = [
        Text(30, 30, 60, SAMPLE),
        Rule(110),
        Text(30, 130, 40, brand),
        Text(30, 182, 48, service),
        Rule(250),
    ]
    marks += [Text(30, 268 + 30 * row, 26, line) for row, line in enumerate(["FROM", *_lines(start)])]
    marks += [
        Text(60, 490 + 44 * row, 26 if row == 0 else 40, line) for row, line in enumerate(["SHIP TO", *_lines(end)])
    ]
    marks += [Rule(790), Bars((WIDE - wide) // 2, 815, 180, barcode)]
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    marks += [Text((WIDE - len(spaced) * 15) // 2, 1008, 30, spaced), Rule(1050)]
    marks += [Text(30, 1066 + 28 * row, 24, line) for row, line in enumerate(notes[:4])]
    marks.append(Text(30, 1182, 26, SAMPLE))
    return tuple(marks)


def _lines(address: Address) -> list[str]:
    place = " ".join(part for part in (address.city, address.region, address.postal_code) if part)
    lines = [address.name, address.company, address.line1, address.line2, place, address.country]
    return [line[:34] for line in lines if line]


def as_pdf(marks: Iterable[Mark], *, title: str) -> bytes:
    out, point = io.BytesIO(), 72 / DPI
    canvas = Canvas(out, pagesize=(WIDE * point, HIGH * point), invariant=1)
    canvas.setTitle(plain(title))
    for mark in marks:
        match mark:
            case Text(x, y, size, text):
                canvas.setFont("Helvetica-Bold" if size >= 40 else "Helvetica", size * point)
                canvas.drawString(x * point, (HIGH - y - 0.8 * size) * point, plain(text))
            case Rule(y):
                canvas.rect(20 * point, (HIGH - y - 3) * point, (WIDE - 40) * point, 3 * point, stroke=0, fill=1)
            case Bars(x, y, height, elements):
                for left, wide in _black(elements):
                    canvas.rect(
                        (x + left) * point, (HIGH - y - height) * point, wide * point, height * point, stroke=0, fill=1
                    )
    canvas.save()
    return out.getvalue()


def as_png(marks: Iterable[Mark]) -> bytes:
    image = Image.new("L", (WIDE, HIGH), 255)
    draw = ImageDraw.Draw(image)
    for mark in marks:
        match mark:
            case Text(x, y, size, text):
                draw.text((x, y), plain(text), fill=0, font=ImageFont.load_default(size * 0.85))
            case Rule(y):
                draw.rectangle((20, y, WIDE - 21, y + 2), fill=0)
            case Bars(x, y, height, elements):
                for left, wide in _black(elements):
                    draw.rectangle((x + left, y, x + left + wide - 1, y + height - 1), fill=0)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI), optimize=True)
    return out.getvalue()


def as_zpl(marks: Iterable[Mark]) -> bytes:
    """The printer draws letters and bars itself: `>;` begins set C, `>8` is FNC1."""
    lines = ["^XA", f"^PW{WIDE}", f"^LL{HIGH}", "^CI28"]
    for mark in marks:
        match mark:
            case Text(x, y, size, text):
                lines.append(f"^FO{x},{y}^A0N,{size},{size * 9 // 10}^FH^FD{_escaped(plain(text))}^FS")
            case Rule(y):
                lines.append(f"^FO20,{y}^GB{WIDE - 40},3,3^FS")
            case Bars(x, y, height, elements):
                lines.append(f"^FO{x},{y}^BY{BAR}^BCN,{height},N,N,N^FD>;{''.join('>8' + one for one in elements)}^FS")
    return "\n".join([*lines, "^XZ", ""]).encode()


def _escaped(text: str) -> str:
    """In a field, `^` and `~` begin commands; `_` is the sign of ^FH for a letter in hexadecimal."""
    return "".join(f"_{ord(letter):02x}" if letter in "^~_" else letter for letter in text)


def _black(elements: tuple[str, ...]) -> Iterable[tuple[int, int]]:
    """(left, width) of each bar, in dots from the first."""
    at = 0
    for place, modules in enumerate(widths(elements)):
        if place % 2 == 0:
            yield at, modules * BAR
        at += modules * BAR
