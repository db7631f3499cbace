"""A request to cancel as a state machine: what any row of deeds can lead to."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.requests.cancels import MOST_ASKS, CancelDeed, CancelState, Request, after, stood_since, why_not

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def played(deeds: list[CancelDeed]) -> list[tuple[Request | None, CancelDeed, Request | None]]:
    """(before, deed, after) for each deed in turn; one that is refused changes nothing."""
    request: Request | None = None
    steps = []
    for deed in deeds:
        before = request
        if not why_not(request, deed):
            request = after(request, deed)
        steps.append((before, deed, request))
    return steps


@given(st.lists(st.sampled_from(CancelDeed), max_size=14))
def test_whatever_happens(deeds: list[CancelDeed]) -> None:
    for before, deed, now in played(deeds):
        if before is not None and before.state is CancelState.CANCELLED:
            assert now == before, "a cancel is final"
        if before is not None and before.open and before.binding:
            assert now is not None and now.binding, "a withdrawal is declined and taken back by nobody"
            assert now.state in (CancelState.ASKED, CancelState.CANCELLED, CancelState.SHIPPED)
        if now is not None and now != before:
            assert after(now, deed) == now, "the same deed again changes nothing"
        if now is not None and not now.binding:
            assert now.asks <= MOST_ASKS


@given(st.sampled_from(CancelDeed))
def test_what_can_be_done_to_nothing_is_asking(deed: CancelDeed) -> None:
    assert (why_not(None, deed) == "") is (deed in (CancelDeed.ASK, CancelDeed.WITHDRAW))


def test_a_declined_request_is_not_asked_again_but_a_withdrawal_stands_above_it() -> None:
    declined = after(after(None, CancelDeed.ASK), CancelDeed.DECLINE)
    assert "answered already" in why_not(declined, CancelDeed.ASK)
    assert why_not(declined, CancelDeed.WITHDRAW) == ""
    assert after(declined, CancelDeed.WITHDRAW) == Request(CancelState.ASKED, True, 2)


def test_the_time_that_it_waited_is_added_once() -> None:
    def since(held: int | None = None, cleared: int | None = None) -> datetime | None:
        at = [None if hour is None else NOON + hour * HOUR for hour in (held, cleared)]
        return stood_since(asked_at=NOON, held_at=at[0], cleared_at=at[1])

    assert since() == NOON
    assert since(-3) is None, "still held: added when it is released"
    assert since(-3, 2) == NOON + 2 * HOUR
    assert since(-3, -1) == NOON
