"""`crossdock risk report --file`: somebody's own payments, under the names that people give their columns; odd rows are
left out and counted, and no row is judged by what was learned later.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossdock.cli.risks.risk import judged_file, judged_since
from crossdock.cli.risks.risk_file import rows_of
from crossdock.cli.trouble import Trouble
from crossdock.demo.histories import BY_NAME, KINDS, history_of
from crossdock.demo.patterns import PATTERNS
from crossdock.demo.traces import facts_about, facts_of, split_at, write
from crossdock.domain.risk import RiskLevel, RuleSet
from crossdock.domain.risk.report import report
from crossdock.store.models import RiskTrace
from crossdock.usecases.risk import facts

WEEK = timedelta(days=7)


def file(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "transaction_id,merchant_id,user_id,card_number,transaction_date,transaction_amount,device_id,has_cbk\n"
        "1,29744,97051,434505******9116,2026-11-01T23:16:32.812632,374.56,285475,TRUE\n",
        "Time;Amount;Buyer;Card;Device;Seller;Label\n"
        "2026-11-01 23:16:32.812632+00:00;374,56;97051;434505******9116;285475;29744;1\n",
        "\ufeffcreatedAt\tamount_cents\tcustomerId\tCard Fingerprint\tdevice-fingerprint\tshop\tis_fraud\n"
        "1793574992.812632\t37456\t97051\t434505******9116\t285475\t29744\tyes\n",
    ],
)
def test_columns_go_by_the_names_that_people_give_them(tmp_path: Path, text: str) -> None:
    rows = rows_of(file(tmp_path, text), delay=WEEK)
    (one,) = rows.attempts
    at = datetime(2026, 11, 1, 23, 16, 32, 812632, tzinfo=UTC)
    assert (one.at, one.amount_minor, one.buyer, one.device) == (at, 37456, "97051", "285475")
    assert (one.fraud, one.known_at, one.labelled, one.paid) == (True, at + WEEK, True, True)
    assert one.card and "434505" not in one.card, "a card's number is kept as a digest"
    assert rows.ignored == [] and not rows.left_out


def test_an_odd_row_is_left_out_and_counted_with_its_line(tmp_path: Path) -> None:
    good = "{},2026-11-0{}T10:00:00,12.50,b{},FALSE\n"
    text = "id,time,amount,buyer,label,mood\n" + good.format(1, 1, 1).replace("\n", ",\n")
    text += "2,yesterday,1,b,FALSE,\n3,2026-11-02,a lot,b,FALSE,\n4,2026-11-02,-5,b,FALSE,\n5,,1,b,FALSE,\n"
    text += "6,2026-11-02,1,b,perhaps,\n1,2026-11-02,1,b,FALSE,\n8,2026-11-02,1\n\n9,2026-11-02,NaN,b,TRUE,\n"
    text += "10,2026-11-02,1,b\x00,TRUE,\n11,2026-11-03T01:00:00Z,,,,\n12,2026-11-03,Infinity,b,TRUE,x\n"
    rows = rows_of(file(tmp_path, text), delay=WEEK)
    assert [one.at.day for one in rows.attempts] == [1, 2, 3], "NaN is no amount, and then none is known"
    assert rows.read == 12 and sum(map(len, rows.left_out.values())) == 9 and rows.ignored == ["mood"]
    told = "\n".join(rows.words())
    for words in (
        "1 row, a time that cannot be read; write 2026-11-29T14:05:00 (line 3)",
        "2 rows, an amount that is no number (lines 4, 14)",
        "1 row, an amount below 0 or beyond all measure (line 5)",
        "1 row, no time",
        "1 row, a label that is neither TRUE nor FALSE",
        "1 row, a row with this identifier came before",
        "1 row, another number of columns than the first line",
        "1 row, a byte that no text has",
        "Columns not used: mood.",
    ):
        assert words in told
    assert rows.attempts[2].labelled is False and rows.attempts[2].amount_minor == 0


AT = datetime(2026, 11, 1, 21, 16, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-01T21:16:32",
        "2026-11-01 21:16:32Z",
        "2026-11-01T23:16:32+02:00",
        "2026-11-01 23:16:32 +0200",
        "2026/11/1 21:16:32",
        "2026-11-01 21:16:32 UTC",
        "2026-11-01 21:16:32.0000000",
        "1793567792",
        "1793567792000",
    ],
)
def test_ways_to_write_a_time(tmp_path: Path, written: str) -> None:
    (one,) = rows_of(file(tmp_path, f"TIMESTAMP,amount\n{written},1\n"), delay=WEEK).attempts
    assert one.at == AT


@pytest.mark.parametrize(
    "written",
    ["1234.56", "1,234.56", "1.234,56", "1234,56", "$1,234.56", "1 234,56 €", "1\u202f234,56", "1'234.56", "+1234.56"],
)
def test_ways_to_write_an_amount(tmp_path: Path, written: str) -> None:
    (one,) = rows_of(file(tmp_path, f"time;Amount\n2026-11-01;{written}\n"), delay=WEEK).attempts
    assert one.amount_minor == 123456


def test_an_amount_in_brackets_is_below_nothing(tmp_path: Path) -> None:
    rows = rows_of(file(tmp_path, "time;amount\n2026-11-01;(12.50)\n2026-11-02;1\n"), delay=WEEK)
    assert len(rows.attempts) == 1 and "an amount below 0" in "\n".join(rows.words())


@pytest.mark.parametrize(
    ("written", "fraud"),
    [("yes", True), ("CBK", True), ("chargeback", True), ("1", True), ("TRUE", True), ("no", False), ("0", False)],
)
def test_ways_to_write_a_label(tmp_path: Path, written: str, fraud: bool) -> None:
    (one,) = rows_of(file(tmp_path, f"time,amount,HAS_CBK\n2026-11-01,1,{written}\n"), delay=WEEK).attempts
    assert (one.labelled, one.fraud) == (True, fraud)


def test_a_file_that_marks_only_its_frauds(tmp_path: Path) -> None:
    rows = rows_of(file(tmp_path, "time,amount,fraud\n2026-11-01,1,\n2026-11-02,1,yes\n2026-11-03,1,\n"), delay=WEEK)
    assert [(one.labelled, one.fraud) for one in rows.attempts] == [(True, False), (True, True), (True, False)]
    assert "a row without one is taken as honest" in "\n".join(rows.words())
    some = rows_of(file(tmp_path, "time,amount,fraud\n2026-11-01,1,\n2026-11-02,1,yes\n2026-11-03,1,no\n"), delay=WEEK)
    assert [one.labelled for one in some.attempts] == [False, True, True], "here an empty cell says nothing"


def test_a_quotation_mark_that_is_never_closed_concerns_its_own_row(tmp_path: Path) -> None:
    text = 'sep=;\r\ntime;amount;buyer;note\r\n2026-11-03;3;a;"two\nlines"\r\n2026-11-02;2;b;"never closed\r\n'
    text += "2026-11-01;1;c;fine;;\r\n" + "".join(f"2026-12-{n:02};1;d;x\r\n" for n in range(1, 25))
    rows = rows_of(file(tmp_path, text), delay=WEEK)
    assert [one.buyer for one in rows.attempts[:2]] == ["c", "a"] and len(rows.attempts) == 26, "in their time's order"
    assert rows.left_out == {"not written as CSV": [5]} and "(line 5)" in "\n".join(rows.words())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "None of the columns has a name that is known"),
        ("time,amount\nx,1\n", "No row of the file can be judged"),
        ("time,amount\n", "No row of the file can be judged"),
    ],
)
def test_a_file_that_cannot_be_judged_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Trouble, match=says):
        rows_of(file(tmp_path, text), delay=WEEK)
    with pytest.raises(Trouble, match=r"cannot be read"):
        rows_of(tmp_path / "absent.csv", delay=WEEK)
    with pytest.raises(Trouble, match="UTF-8"):
        rows_of(file(tmp_path, "time,buyer\n2026-11-01,Zoë\n", "latin-1"), delay=WEEK)


@pytest.mark.django_db
@pytest.mark.parametrize("gone", ["time", "amount", "buyer", "card", "device", "seller", "label", "all but one"])
def test_any_column_may_be_missing(tmp_path: Path, gone: str) -> None:
    names = ["time", "amount", "buyer", "card", "device", "seller", "label"]
    kept = ["amount"] if gone == "all but one" else [name for name in names if name != gone]
    lines = [",".join(kept)]
    for i in range(12):
        row = dict(
            zip(names, (f"2026-11-{i + 1:02}", "9.90", f"b{i}", f"c{i}", "d", "s", str(i % 4 == 0)), strict=True)
        )
        lines.append(",".join(row[name] for name in kept))
    rows = rows_of(file(tmp_path, "\n".join(lines)), delay=WEEK)
    told = "\n".join([*rows.words(), *judged_file(rows.attempts, write(rows.attempts))])
    assert "12 rows read, 12 rows judged" in told and "Of these the later 40%" in told
    assert ("no column of times" in told) == (gone in ("time", "all but one"))
    assert ("no column of labels" in told) == (gone in ("label", "all but one"))


@pytest.mark.django_db
def test_a_month_of_card_payments_with_six_fields_and_labels_a_week_late(tmp_path: Path) -> None:
    """The shape in which most people have their history; made up, from a seed that nothing was learned on."""
    lines = ["transaction_id,merchant_id,user_id,card_number,transaction_date,transaction_amount,device_id,has_cbk"]
    for n, one in enumerate(history_of(BY_NAME["payments"], seed=31, orders=1800)):
        cells = (n, one.seller, one.buyer, one.card, one.at.isoformat(), f"{one.amount_minor / 100:.2f}", one.device)
        if one.paid:
            lines.append(",".join(map(str, (*cells, str(one.fraud).upper()))))
    rows = rows_of(file(tmp_path, "\n".join(reversed(lines[1:])).join((lines[0] + "\n", ""))), delay=WEEK)
    traces = write(rows.attempts)
    late = report(judged_since(rows.attempts, traces, split_at([one.at for one in rows.attempts]), RuleSet()))
    assert (late.auc or 0) >= 0.86 and (late.recall_at_5_percent or 0) >= 0.4
    assert late.levels[RiskLevel.LOW].recall < 0.1, "few of the frauds are called low"
    assert late.levels[RiskLevel.HIGH].precision > 0.5


def looked_ahead() -> list[int]:
    """Take away everything later, and every label that was not known yet: which orders' facts change by that."""
    attempts = history_of(BY_NAME["rings"], seed=3, orders=700)
    traces = write(attempts)
    chosen = [n for n in range(100, len(attempts), 25) if attempts[n].paid]
    chosen += [n for n, one in enumerate(attempts) if one.fraud and one.paid][-12:]
    whole = list(facts_of([attempts[n] for n in chosen], [traces[n] for n in chosen]))
    assert whole == [facts_about(attempts[n], traces[n]) for n in chosen], "asked one by one it is the same"
    assert any(one.linked_frauds for one in whole), "labels that were known then do count"
    found = []
    for n, before in zip(chosen, whole, strict=True):
        RiskTrace.objects.all().delete()
        now = attempts[n].at
        past = [
            one if one.known_at and one.known_at <= now else replace(one, fraud=False, known_at=None)
            for one in attempts[: n + 1]
        ]
        if facts_about(past[n], write(past)[n]) != before:
            found.append(n)
    return found


@pytest.mark.django_db
def test_no_order_is_judged_by_what_was_learned_later() -> None:
    assert looked_ahead() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("honest", "leaking"),
    [
        (" AND known_at <= %(until)s", ""),
        ("AND at < %(until)s ", ""),
        (
            "'earlier_of_buyer', count(*) FILTER (WHERE NOT beside AND at < %(at)s)",
            "'earlier_of_buyer', count(*) FILTER (WHERE NOT beside)",
        ),
    ],
    ids=["labels", "other buyers", "the buyer's own later orders"],
)
def test_a_planted_look_into_the_future_is_found(monkeypatch: pytest.MonkeyPatch, honest: str, leaking: str) -> None:
    assert honest in facts._COUNTS
    monkeypatch.setattr(facts, "_COUNTS", facts._COUNTS.replace(honest, leaking))
    assert looked_ahead() != []


def test_the_made_up_histories_are_of_several_kinds() -> None:
    shares = {}
    patterns: set[str] = set()
    for kind in KINDS:
        rows = [one for one in history_of(kind, orders=min(kind.orders, 6000)) if one.paid]
        shares[kind.name] = sum(one.fraud for one in rows) / len(rows)
        patterns |= {one.pattern for one in rows if one.fraud}
        assert shares[kind.name] == pytest.approx(kind.share, rel=0.25), kind.name
        assert all(one.known_at and one.known_at > one.at for one in rows if one.fraud)
    assert len(shares) == 12 and min(shares.values()) < 0.003 and max(shares.values()) > 0.11
    assert patterns == set(PATTERNS)
    kind = BY_NAME["mixed"]
    assert history_of(kind, orders=400) == history_of(kind, orders=400) != history_of(kind, seed=2, orders=400)
