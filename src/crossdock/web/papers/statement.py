"""A statement as a PDF."""

from collections.abc import Sequence
from datetime import date

from reportlab.platypus import Spacer

from crossdock.domain.earnings.balance import KIND_WORDS
from crossdock.usecases.money.statement import Line, Sums
from crossdock.web.papers.sheet import WIDE, paper, small, soft, table, title

# Forty pages; more is for a spreadsheet.
MOST = 1500


def statement(*, seller: str, first: date, last: date, sums: Sums, lines: Sequence[Line]) -> bytes:
    code = sums.after.currency
    summed: list[list[object]] = [
        [f"{KIND_WORDS[one.kind].many} ({one.count})", str(one.gross), str(one.fee), str(one.net)] for one in sums.kinds
    ]
    before: list[object] = ["We owed you before", "", "", str(sums.before)]
    after: list[object] = ["We owe you after", "", "", str(sums.after)]
    head: list[object] = ["", "Amount", "Commission", "Net"]
    story: list[object] = [
        title("Statement"),
        soft(f"{seller}, {first:%d %B %Y} to {last:%d %B %Y}, in {code}. Days are in UTC."),
        Spacer(1, 12),
        table([head, before, *summed, after], [WIDE - 240, 80, 80, 80], last_bold=True),
        Spacer(1, 16),
    ]
    if lines:
        rows: list[list[object]] = [["Date", "What", "Amount", "Commission", "Net"]]
        for line in lines[:MOST]:
            words = small(f"{KIND_WORDS[line.kind].one}: {line.words}")
            rows.append([f"{line.at:%Y-%m-%d}", words, str(line.gross), str(line.fee), str(line.net)])
        story.append(table(rows, [60, WIDE - 60 - 210, 70, 70, 70]))
        if len(lines) > MOST:
            story += [Spacer(1, 8), soft(f"The newest {MOST} lines. All of them are in the CSV file.")]
    else:
        story.append(soft("Nothing moved in this period."))
    return paper(f"Statement {first.isoformat()} to {last.isoformat()}, {code}", story)
