"""Named points at which a test may kill the process with -9. Does nothing unless CROSSDOCK_CRASH_AT names the point."""

import os
import signal

# Every point, where it stands in the order's way. The crash test fails if one is never reached.
POINTS: tuple[str, ...] = (
    "cancel.after_send",
    "cancel.before_send",
    "checkout.before_commit",
    "checkout.captured",
    "claim.after_commit",
    "claim.before_commit",
    "counts.answered",
    "counts.drawn",
    "door.after_commit",
    "door.before_answer",
    "door.before_commit",
    "door.before_wake",
    "door.verified",
    "inbox.before_handled",
    "inbox.taken",
    "look.after",
    "look.before",
    "order.read",
    "poll.orders_read",
    "poll.orders_taken",
    "poll.products_read",
    "poll.products_taken",
    "products.before_commit",
    "pump.after_send",
    "pump.before_release",
    "pump.before_send",
    "pump.leased",
    "receive.before_commit",
    "receive.between_orders",
    "reject.before_commit",
    "reject.marked",
    "renew.answered",
    "renew.stored",
    "settle.after_commit",
    "settle.before_commit",
    "settle.begin",
    "settle.bound",
    "told.after_send",
    "told.before_send",
)
# The same for labels; `python -m crossdock_lab labels` kills at each.
LABEL_POINTS: tuple[str, ...] = (
    "label.before_buy",
    "label.after_buy",
    "label.before_look",
    "label.settled",
    "label.before_void",
    "label.after_void",
)
# The same for test orders (tests/engine/test_trial_order.py).
TRIAL_POINTS: tuple[str, ...] = (
    "trial.before_create",
    "trial.after_create",
    "trial.before_cancel",
    "trial.after_cancel",
)
# The same for payouts (tests/engine/test_engine_payouts.py).
PAYOUT_POINTS: tuple[str, ...] = ("payout.before_look", "payout.after_send")
# The same for runs over many orders (tests/usecases/orders/daily/test_bulk.py, tests/usecases/labels/
# test_label_runs.py).
BULK_POINTS: tuple[str, ...] = ("bulk.before_written", "bulk.row", "bulk.prices_heard", "bulk.label_settled")

_AT = os.environ.get("CROSSDOCK_CRASH_AT", "")


def point(name: str) -> None:
    """Die here if asked to. The marker file keeps the restarted process from dying at the same place again."""
    if name != _AT:
        return
    marker = os.environ.get("CROSSDOCK_CRASH_MARKER", "")
    if marker:
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return
    os.kill(os.getpid(), signal.SIGKILL)
