"""`crossdock risk report --file`: somebody's own payments, under the names that people give their columns; odd rows are
left out and counted, and no row is judged by what was learned later.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossdock.cli.risk import facts_about, judged_file, write
from crossdock.cli.risk_file import rows_of
from crossdock.cli.trouble import Trouble
from crossdock.demo.histories import BY_NAME, KINDS, history_of
from crossdock.demo.patterns import PATTERNS
from crossdock.store.models import RiskTrace

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
    assert rows.read == 12 and sum(rows.left_out.values()) == 9 and rows.ignored == ["mood"]
    told = "\n".join(rows.words())
    for words in (
        "1 row, a time that cannot be read; write 2026-11-29T14:05:00 (first in line 3)",
        "2 rows, an amount that is no number (first in line 4)",
        "1 row, an amount below 0 or beyond all measure (first in line 5)",
        "1 row, no time",
        "1 row, a label that is neither TRUE nor FALSE",
        "1 row, a row with this identifier came before",
        "1 row, another number of columns than the first line",
        "1 row, a byte that no text has",
        "Columns not used: mood.",
    ):
        assert words in told
    assert rows.attempts[2].labelled is False and rows.attempts[2].amount_minor == 0


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
def test_no_order_is_judged_by_what_was_learned_later() -> None:
    """Take away everything later, and every label that was not known yet: each order's facts stay as they are."""
    attempts = history_of(BY_NAME["rings"], seed=3, orders=700)
    traces = write(attempts)
    chosen = [n for n in range(100, len(attempts), 25) if attempts[n].paid]
    chosen += [n for n, one in enumerate(attempts) if one.fraud and one.paid][-12:]
    whole = [facts_about(attempts[n], traces[n]) for n in chosen]
    for n, before in zip(chosen, whole, strict=True):
        RiskTrace.objects.all().delete()
        now = attempts[n].at
        past = [
            one if one.known_at and one.known_at <= now else replace(one, fraud=False, known_at=None)
            for one in attempts[: n + 1]
        ]
        assert facts_about(past[n], write(past)[n]) == before
    assert any(facts.linked_frauds for facts in whole), "labels that were known then do count"


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
