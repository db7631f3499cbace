"""What every PDF of ours is drawn with: reportlab, the font that it brings, a table, numbered pages.

Letters that this font does not have are written without their accents, or as "?". Amounts are plain decimals: the
currency stands above them, and not every currency's sign is in the font.
"""

import io
import unicodedata
from collections.abc import Sequence
from functools import cache

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

_GREY, _LINE = HexColor("#5b6470"), HexColor("#c9ced6")
_MARGIN = 42
WIDE = A4[0] - 2 * _MARGIN
_SMALL = ParagraphStyle("small", fontName="Vera", fontSize=8, leading=10.5)
_SOFT = ParagraphStyle("soft", parent=_SMALL, textColor=_GREY)
_TITLE = ParagraphStyle("title", fontName="VeraBd", fontSize=15, leading=20)


@cache
def _fonts() -> TTFont:
    """Registered once per process."""
    for name, file in (("Vera", "Vera.ttf"), ("VeraBd", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, file))
    return pdfmetrics.getFont("Vera")


def _plain(text: str) -> str:
    known = _fonts().face.charToGlyph
    written = ""
    for letter in text:
        bare = [one for one in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(one)]
        written += letter if ord(letter) in known else "".join(one if ord(one) in known else "?" for one in bare)
    return written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def title(text: str) -> Paragraph:
    return Paragraph(_plain(text), _TITLE)


def small(*lines: str) -> Paragraph:
    return Paragraph("<br/>".join(map(_plain, lines)), _SMALL)


def soft(*lines: str) -> Paragraph:
    return Paragraph("<br/>".join(map(_plain, lines)), _SOFT)


def table(rows: list[list[object]], widths: list[float], *, last_bold: bool = False) -> Table:
    """The first row is the head, again on each page; the last three columns are numbers."""
    style = [
        ("FONT", (0, 0), (-1, -1), "Vera", 8),
        ("FONT", (0, 0), (-1, 0), "VeraBd", 8),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("ALIGN", (-3, 0), (-1, -1), "RIGHT"),
    ]
    if last_bold:
        style.append(("FONT", (0, -1), (-1, -1), "VeraBd", 8))
    return Table(rows, colWidths=widths, repeatRows=1, style=TableStyle(style))


def paper(name: str, story: Sequence[object]) -> bytes:
    """The file; `name` is what a reader shows in its title bar."""
    _fonts()
    out = io.BytesIO()
    edges = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN)
    document = SimpleDocTemplate(out, pagesize=A4, title=name, **edges)
    document.build(list(story), onFirstPage=_numbered, onLaterPages=_numbered)
    return out.getvalue()


def _numbered(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Vera", 7)
    canvas.setFillColor(_GREY)
    canvas.drawRightString(A4[0] - _MARGIN, _MARGIN / 2, f"Page {document.page}")
