"""The marketplace's report: each figure is what the books say, of its days and its currency alone, and leads to its
rows; what is open at a moment is the same with the closings of days and without them.
"""

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.usecases.money.test_disputes import bank_says, send
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.commands import CancelReason
from crossdock.domain.earnings.report import FIGURES, OPEN, Report
from crossdock.domain.payments import DisputeState
from crossdock.store.models import AuditEntry, Closing, Entry, LostDispute, Order
from crossdock.usecases.money import books
from crossdock.usecases.money.reports import closing, journal
from crossdock.usecases.money.reports.journal import of_figure
from crossdock.usecases.money.reports.report import report
from crossdock.usecases.money.statement import Period
from crossdock.usecases.orders.reject import reject_order
from market import World, user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World(units=99, now=datetime.now(UTC))


@pytest.fixture
def desk() -> Desk:
    return Desk(user(name="Fin Finance", is_staff=True, roles="finance"))


def reject(world: World, order: Order) -> None:
    given: dict[str, Any] = {"reason": CancelReason.BUYER_ASKED, "expected_total": None}
    reject_order(order=order, actor=world.seller.owner, now=world.later(), **given)


def post(order: Order | None, cause: str, at: datetime, currency: str = "", **entries: int) -> None:
    books.post(cause=cause, order=order, sentence=cause, now=at, entries=entries, currency=currency)


def minors(found: Report) -> dict[str, int]:
    return {one.figure.key: one.amount.minor for one in found.sums if one.count}


def held() -> Counter[tuple[str, str]]:
    """By currency and kind of account, added up by hand."""
    sums: Counter[tuple[str, str]] = Counter()
    for account, currency, minor in Entry.objects.values_list("account", "currency", "amount_minor"):
        sums[currency, account.partition(":")[0]] += minor
    return sums


def test_each_figure_is_what_the_books_say_and_leads_to_its_rows(world: World, desk: Desk) -> None:
    sold, gone, lost = world.buy(), world.buy(2), world.buy()
    reject(world, gone)
    bank_says(lost, DisputeState.TAKEN, world.later())
    bank_says(lost, DisputeState.LOST, world.later())
    send(desk, LostDispute.objects.get(), "marketplace")
    since, until = world.now - DAY, datetime.now(UTC) + DAY
    with CaptureQueriesContext(connection) as asked:
        (found,) = report(since=since, until=until)
    assert len(asked) == 3, "flows, lost disputes, what is open; however many figures there are"
    paid = sold.total_minor + gone.total_minor + lost.total_minor
    cut = books.cuts([sold, gone, lost])
    assert minors(found) == {
        "sales": paid,
        "fees": sum(cut.values()),
        "fees_back": cut[gone.pk],
        "credits": gone.total_minor,
        "disputes": lost.total_minor,
        "lost_us": lost.total_minor,
    }
    assert (found.lost[0], found.lost[1].minor) == (1, lost.total_minor)
    for one in found.sums:
        rows = of_figure(figure=one.figure, period=Period("USD", since, until), before=None, limit=99)
        assert one.figure.sign * sum(row.amount.minor for row in rows) == one.amount.minor, one.figure.title
        assert len(rows) == one.count and all(row.seller == world.seller for row in rows)
    for balance in found.open:
        assert OPEN[balance.account][2] * balance.amount.minor == held()["USD", balance.account], balance.title
    assert {account for _, account in held()} <= set(OPEN), "an account that no report shows"


def test_a_dispute_counts_once_however_often_it_is_lost_and_what_the_seller_bears_is_no_credit_besides(
    world: World, desk: Desk
) -> None:
    order = world.buy()
    since, until = world.now - DAY, datetime.now(UTC) + DAY

    def figures() -> tuple[dict[str, int], tuple[int, int]]:
        (found,) = report(since=since, until=until)
        for one in found.sums:
            rows = of_figure(figure=one.figure, period=Period("USD", since, until), before=None, limit=99)
            assert one.figure.sign * sum(row.amount.minor for row in rows) == one.amount.minor, one.figure.title
            assert len(rows) == one.count, one.figure.title
        return minors(found), (found.lost[0], found.lost[1].minor)

    for state in (DisputeState.TAKEN, DisputeState.LOST):
        bank_says(order, state, world.later())
    send(desk, LostDispute.objects.get(), "seller")
    told, lost = figures()
    assert lost == (1, 1500) and told["lost_seller"] == told["disputes"] == 1500
    assert "credits" not in told and told["fees_back"] == 120
    bank_says(order, DisputeState.WON, world.later())
    told, lost = figures()
    assert lost == (0, 0) and told["undone"] == told["won"] == 1500 and "credits" not in told
    assert told.get("fees_back", 0) == 0
    for state in (DisputeState.TAKEN, DisputeState.LOST):
        bank_says(order, state, world.later())
    told, lost = figures()
    assert LostDispute.objects.count() == 2 and lost == (1, 1500), "lost, given back, lost again: lost once"


def test_what_is_of_other_days_or_another_currency_is_not_in_it(world: World) -> None:
    order, at = world.buy(), datetime(2026, 3, 1, tzinfo=UTC)
    for n, (moment, currency) in enumerate(
        [(at - timedelta(microseconds=1), ""), (at, ""), (at + DAY, ""), (at, "JPY"), (at, "KWD")]
    ):
        post(order, f"paid:x{n}", moment, currency, gateway=10**n, fees=-(10**n))
    found = report(since=at, until=at + DAY)
    assert [(one.currency, minors(one)["sales"]) for one in found] == [("JPY", 1000), ("KWD", 10_000), ("USD", 10)]
    assert [str(one.sums[0].amount) for one in found] == ["1000", "10.000", "0.10"]
    # The order of today is not open yet at the end of that day.
    assert [one.amount.minor for one in found[2].open if one.account == "gateway"] == [11]


def test_a_figure_s_rows_go_on_after_the_last_of_the_page_before(world: World) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for n in range(7):
        # Two at the same moment, and written in another order than they happened.
        post(None, f"label:{n}", at + timedelta(hours=(n * 3 % 7) // 2), "USD", **{"carrier:x": -1 - n, "fees": 1 + n})
    period, seen, before = Period("USD", at, at + DAY), [], None
    while page := of_figure(figure=FIGURES["labels"], period=period, before=before, limit=2):
        seen += page
        before = page[-1].id
    assert [(row.at, row.id) for row in seen] == sorted(((row.at, row.id) for row in seen), reverse=True)
    assert sorted(-row.amount.minor for row in seen) == [1, 2, 3, 4, 5, 6, 7]
    assert of_figure(figure=FIGURES["labels"], period=period, before=10**15, limit=2) == []


def test_what_is_open_is_the_same_with_closings_and_without(world: World) -> None:
    order, first = world.buy(), datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    for n in range(9):
        at = first + timedelta(hours=17 * n)
        post(order, f"paid:y{n}", at, "JPY" if n % 3 else "", **{"gateway": 1 + n, f"seller:{world.seller.pk}": -1 - n})
    moments = [first + timedelta(hours=6 * n) for n in range(30)]
    before = [sorted(closing.open_at(moment), key=str) for moment in moments]
    now = first + timedelta(days=5)
    assert closing.close_days(now=now) == 4, "the first day to the last that is over for a day"
    assert closing.close_days(now=now) == 0, "once"
    assert [sorted(closing.open_at(moment), key=str) for moment in moments] == before
    assert Closing.objects.latest("day").day == date(2026, 3, 4)
    assert closing.close_days(now=first + timedelta(days=7)) == 2
    assert [sorted(closing.open_at(moment), key=str) for moment in moments] == before


def test_an_empty_house_has_nothing_to_close(desk: Desk) -> None:
    assert closing.close_days(now=datetime.now(UTC)) == 0 and not Closing.objects.exists()
    assert desk.get("/staff/reports/") == 200 and "Nothing in the books" in desk.page


def test_no_whole_table_is_walked(world: World) -> None:
    """With closings what is asked of transfers is a range of their times, and of entries those of these transfers."""
    order = world.buy()
    post(order, "paid:z", datetime(2026, 3, 1, tzinfo=UTC), gateway=1, fees=-1)
    closing.close_days(now=datetime(2026, 3, 5, tzinfo=UTC))
    since = datetime(2026, 3, 3, tzinfo=UTC)
    with CaptureQueriesContext(connection) as asked:
        report(since=since, until=since + DAY)
        of_figure(figure=FIGURES["sales"], period=Period("USD", since, since + DAY), before=None, limit=9)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on store_" not in plan, plan
            assert "transfer_at" in plan or "dispute_lost_at" in plan, plan


def test_staff_read_it_by_days_of_the_marketplace_s_zone(world: World, desk: Desk, settings: Any) -> None:
    order = world.buy()
    post(order, "paid:night", datetime(2026, 3, 1, 23, 30, tzinfo=UTC), gateway=77, fees=-77)
    assert desk.get("/staff/reports/?since=2026-03-01&until=2026-03-01") == 200
    assert "$0.77" in desk.page and "Days are days in UTC" in desk.words
    settings.CONFIG = settings.CONFIG.model_copy(update={"time_zone": "Europe/Berlin"})
    desk.get("/staff/reports/?since=2026-03-01&until=2026-03-01")
    assert "Nothing in the books" in desk.words
    desk.get("/staff/reports/?since=2026-03-02&until=2026-03-02")
    assert "$0.77" in desk.page and "Days are days in Berlin" in desk.words
    desk.get("/staff/reports/?since=2026-03-05&until=2026-03-04")
    assert "Nothing moved" in desk.words and "4 Mar 2026 to 5 Mar 2026" not in desk.words
    assert desk.get("/staff/reports/?since=nonsense&until=2026-02-31&currency=%00") == 200
    assert desk.get("/staff/reports/?since=2020-01-01&until=2026-03-02") == 422 and "at most 366 days" in desk.words
    assert desk.get("/staff/reports/csv/?since=2020-01-01&until=2026-03-02") == 422
    assert desk.get("/staff/reports/nothing/") == 404
    desk.get("/staff/reports/sales/?currency=USD&since=2026-03-02&until=2026-03-02")
    assert f"#{order.number}" in desk.words and "$0.77" in desk.words
    desk.get("/staff/reports/sales/?currency=EUR&since=2026-03-02&until=2026-03-02")
    assert "No rows" in desk.words


def test_it_is_a_file_as_well_which_the_audit_log_names(world: World, desk: Desk) -> None:
    order = world.buy()
    post(order, "paid:yen", world.now, "JPY", gateway=500, fees=-500)
    answer = desk.client.get("/staff/reports/csv/")
    assert answer.streaming, "sent as it is read"
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    sales = {row["currency"]: (row["count"], row["amount"]) for row in rows if row["figure"] == "Sales"}
    assert sales == {"JPY": ("1", "500"), "USD": ("1", f"{order.total}")}
    assert AuditEntry.objects.get(action="exported").subject == "report as CSV"


@pytest.mark.parametrize(("role", "status"), [("operations", 200), ("support", 403), ("risk", 403)])
def test_finance_and_operations_read_it(role: str, status: int) -> None:
    other = Desk(user(is_staff=True, roles=role))
    for path in ("", "csv/", "sales/"):
        assert other.client.get(f"/staff/reports/{path}").status_code == status, path
    assert not AuditEntry.objects.filter(action="exported").exists() or status == 200


def exported_rows(desk: Desk, query: str) -> list[dict[str, str]]:
    answer = desk.client.get(f"/staff/reports/books/?{query}")
    assert answer.status_code == 200 and answer.streaming
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_the_books_are_exported_with_debits_and_credits_of_each_currency(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, at, seller = world.buy(), datetime(2026, 3, 1, 12, tzinfo=UTC), world.seller
    type(seller).objects.filter(pk=seller.pk).update(name="=HYPERLINK(1)")
    for n, code in enumerate(("JPY", "KWD", "USD")):
        for k in range(3):
            sides = {"gateway": 1000 + k, f"seller:{seller.pk}": -900 - k, "fees": -100}
            post(order if k else None, f"paid:{code}{k}", at + timedelta(minutes=n), code, **sides)
    # Of the day before and the day after.
    post(order, "paid:before", at - DAY, gateway=5, fees=-5)
    post(order, "paid:after", at + DAY, gateway=5, fees=-5)
    monkeypatch.setattr(journal, "_PAGE", 4)
    rows = exported_rows(desk, "since=2026-03-01&until=2026-03-01")
    assert len(rows) == 27 and len({tuple(row.values()) for row in rows}) == 27, "each side once, whatever the page"
    for code, first in (("JPY", "1000"), ("KWD", "1.000"), ("USD", "10.00")):
        mine = [row for row in rows if row["currency"] == code]
        debits, credits = (sum(Decimal(row[side] or 0) for row in mine) for side in ("debit", "credit"))
        assert debits == credits != 0, code
        assert mine[0]["debit"] == first and all(bool(row["debit"]) != bool(row["credit"]) for row in mine)
    assert {row["account"] for row in rows} == {"gateway", "seller", "fees"}
    theirs = [row for row in rows if row["account"] == "seller"]
    assert {(row["seller"], row["seller_name"]) for row in theirs} == {(seller.public_id, "'=HYPERLINK(1)")}
    assert {row["order"] for row in rows} == {"", str(order.number)}
    entry = AuditEntry.objects.get(action="exported")
    assert (entry.subject, entry.detail) == ("books as CSV", {"since": "2026-03-01", "until": "2026-03-01"})
    assert exported_rows(desk, "since=2025-03-01&until=2025-03-01") == []


def test_what_is_written_while_it_is_read_is_whole_or_not_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order, at = world.buy(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    for n in range(3):
        post(order, f"paid:{n}", at, gateway=5, fees=-5)
    monkeypatch.setattr(journal, "_PAGE", 2)
    pages = journal.every(since=at, until=at + DAY)
    seen = next(pages)
    post(order, "paid:earlier", at - timedelta(seconds=0), gateway=7, fees=-3, protection=-4)
    post(order, "paid:later", at + timedelta(hours=1), gateway=7, fees=-3, protection=-4)
    seen += [row for page in pages for row in page]
    assert sum(row.amount.minor for row in seen) == 0 and len({row.transfer for row in seen}) == 5


@pytest.mark.parametrize(("role", "status"), [("finance", 200), ("operations", 403), ("support", 403)])
def test_finance_alone_exports_the_books(role: str, status: int) -> None:
    other = Desk(user(is_staff=True, roles=role))
    assert other.client.get("/staff/reports/books/").status_code == status
    assert AuditEntry.objects.filter(action="exported").exists() is (status == 200)
