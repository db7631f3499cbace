"""A statement as a PDF, drawn with reportlab and the font that it brings.

Letters that this font does not have are written without their accents, or as "?". Amounts are plain decimals: the
currency stands above them, and not every currency's sign is in the font.
"""

import io
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import cache

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from crossdock.domain.earnings.balance import KIND_WORDS
from crossdock.usecases.money.statement import Line, Sums

# Forty pages; more is for a spreadsheet.
MOST = 1500
_GREY, _LINE = HexColor("#5b6470"), HexColor("#c9ced6")
_MARGIN = 42
_WIDE = A4[0] - 2 * _MARGIN


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


def statement(*, seller: str, first: date, last: date, sums: Sums, lines: Sequence[Line]) -> bytes:
    _fonts()
    small = ParagraphStyle("small", fontName="Vera", fontSize=8, leading=10.5)
    soft = ParagraphStyle("soft", parent=small, textColor=_GREY)
    title = ParagraphStyle("title", fontName="VeraBd", fontSize=15, leading=20)
    code = sums.after.currency
    summed: list[list[object]] = [
        [f"{KIND_WORDS[one.kind].many} ({one.count})", str(one.gross), str(one.fee), str(one.net)] for one in sums.kinds
    ]
    before: list[object] = ["We owed you before", "", "", str(sums.before)]
    after: list[object] = ["We owe you after", "", "", str(sums.after)]
    head: list[object] = ["", "Amount", "Commission", "Net"]
    story: list[object] = [
        Paragraph("Statement", title),
        Paragraph(_plain(f"{seller}, {first:%d %B %Y} to {last:%d %B %Y}, in {code}. Days are in UTC."), soft),
        Spacer(1, 12),
        _table([head, before, *summed, after], [_WIDE - 240, 80, 80, 80], last_bold=True),
        Spacer(1, 16),
    ]
    if lines:
        rows: list[list[object]] = [["Date", "What", "Amount", "Commission", "Net"]]
        for line in lines[:MOST]:
            words = Paragraph(_plain(f"{KIND_WORDS[line.kind].one}: {line.words}"), small)
            rows.append([f"{line.at:%Y-%m-%d}", words, str(line.gross), str(line.fee), str(line.net)])
        story.append(_table(rows, [60, _WIDE - 60 - 210, 70, 70, 70]))
        if len(lines) > MOST:
            story += [Spacer(1, 8), Paragraph(f"The newest {MOST} lines. All of them are in the CSV file.", soft)]
    else:
        story.append(Paragraph("Nothing moved in this period.", soft))
    out = io.BytesIO()
    paper = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"Statement {first.isoformat()} to {last.isoformat()}, {code}",
    )
    paper.build(story, onFirstPage=_numbered, onLaterPages=_numbered)
    return out.getvalue()


def _table(rows: list[list[object]], widths: list[float], *, last_bold: bool = False) -> Table:
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


def _numbered(canvas: Canvas, paper: SimpleDocTemplate) -> None:
    canvas.setFont("Vera", 7)
    canvas.setFillColor(_GREY)
    canvas.drawRightString(A4[0] - _MARGIN, _MARGIN / 2, f"Page {paper.page}")
