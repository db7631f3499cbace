"""The marketplace's report of a period, from the books: three statements, whatever the period. Nothing here writes."""

from datetime import datetime

from django.db import connection
from django.db.models import Count, Sum

from crossdock.domain.earnings.protection import DisputeEnd
from crossdock.domain.earnings.report import Flow, Report, reports
from crossdock.store.models import LostDispute
from crossdock.usecases.money.reports.closing import open_at

_FLOWS = """
SELECT e.currency, split_part(replace(t.cause, 'credit:dispute:', 'credit_dispute:'), ':', 1) AS word,
split_part(e.account, ':', 1) AS account,
sum(e.amount_minor), count(*) FROM store_transfer t JOIN store_entry e ON e.transfer_id = t.id
WHERE t.at >= %(since)s AND t.at < %(until)s GROUP BY 1, 2, 3
"""


def report(*, since: datetime, until: datetime) -> list[Report]:
    """From `since`, before `until`; one for each currency."""
    with connection.cursor() as cursor:
        cursor.execute(_FLOWS, {"since": since, "until": until})
        flows = [
            Flow(code, word, account, int(minor), count) for code, word, account, minor, count in cursor.fetchall()
        ]
    # What a bank gave back after all was not lost; lost once more it is another row.
    rows = LostDispute.objects.filter(lost_at__gte=since, lost_at__lt=until).exclude(state=DisputeEnd.BACK)
    summed = rows.values_list("currency").annotate(minor=Sum("amount_minor"), count=Count("pk")).order_by()
    lost = [Flow(code, "lost", "disputed", minor, count) for code, minor, count in summed]
    return reports(flows, lost, open_at(until))
