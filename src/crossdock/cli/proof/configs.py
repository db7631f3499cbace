"""The worlds that are explored: those of the protocol's own model, and what it had left out (the P ones). `minute` marks what a test run bears."""

from crossdock.cli.proof.state import Budget, Config

_TWO = ((1,), (1,))

CONFIGS: tuple[Config, ...] = (
    # A minute of these in every test run.
    Config("F1b", "a sale, a lost answer, cancel, expiry", (2,), _TWO, Budget(sales=1, losses=1), reads=1, expiry=True, cancels=True, minute=True),
    Config("F1x", "two buyers of one unit, expiry, a sale", (1,), _TWO, Budget(sales=1), reads=1, expiry=True, minute=True),
    Config("F1s", "two reads at a time, a sale, cancel, one unit", (1,), _TWO, Budget(sales=1), cancels=True, minute=True),
    Config("F2", "a shop that never refuses, late creates, search lag", (1,), _TWO, Budget(sales=1, losses=1), refuses=False, late=True, lag=True, reads=1, cancels=True, minute=True),
    Config("F3s", "a crash, late creates, search lag, nothing unique, one unit", (1,), _TWO, Budget(sales=1, crashes=1), late=True, lag=True, reads=1, cancels=True, minute=True),
    Config("F4s", "webhooks may lower, doubled", (2,), _TWO, Budget(sales=1, hooks=1, doubled=1), hook_body="event", reads=1, minute=True),
    Config("F4w", "webhooks only ask for a read, doubled", (2,), _TWO, Budget(sales=1, hooks=1, doubled=1), hook_body="wish", reads=1, minute=True),
    Config("F5e", "a cancel in the shop cancels here", (1,), _TWO, Budget(losses=1, shop_cancels=1), there_cancels_here=True, cancels=True, reads=1, minute=True),
    Config("F6s", "rejected as not there; set aside until counted; the shop restores anyway", (2,), _TWO, cancels=True, dont_have=True, phantom=1, reads=1, minute=True),
    Config("F7b", "the correction of a count cannot be repeated: a person is asked", (2,), _TWO, Budget(sales=1, losses=1), cancels=True, restores=False, adjusts="once", reads=1, minute=True),
    Config("F8", "three buyers of two units", (2,), ((1,), (1,), (1,)), minute=True),
    Config("F8b", "three buyers of one unit, cancel, webhooks may lower", (1,), ((1,), (1,), (1,)), Budget(hooks=1), cancels=True, hook_body="event", reads=1, minute=True),
    Config("F10", "one unit is kept back", (2,), _TWO, Budget(sales=1), buffer=1, cancels=True, minute=True),
    Config("F11", "the shop takes the units late", (2,), _TWO, Budget(sales=1), takes="late", refuses=False, cancels=True, reads=1, minute=True),
    Config("F11a", "the shop never takes the units", (2,), _TWO, Budget(sales=1, losses=1), takes="never", refuses=False, cancels=True, reads=1, minute=True),
    Config("F12", "looked up too early, but the reference is unique there", (2,), _TWO, Budget(sales=1, losses=2), unique=True, late=True, lag=True, reads=1, minute=True),
    Config("P1", "reads only when one is wanted: no wish is lost", (2,), _TWO, Budget(losses=1, crashes=1), polls=False, cancels=True, reads=1, minute=True),
    Config("P2", "two variants, orders that share one", (1, 1), ((1, 0), (1, 1)), Budget(sales=1), cancels=True, reads=1, minute=True),
    Config("P3", "a count is written whole, only over the number that we know", (2,), _TWO, Budget(sales=1), cancels=True, restores=False, adjusts="compare", reads=1, minute=True),
    Config("P4s", "the horizon was too short: created twice, the first is kept", (2,), ((1,),), Budget(losses=1), late=True, lag=True, cancels=True, impatient=True, reads=1, minute=True),
    # The long ones.
    Config("F1", "two reads at a time, a sale, a loss, cancel", (2,), _TWO, Budget(sales=1, losses=1), cancels=True),
    Config("F3", "a crash, late creates, search lag, nothing unique", (2,), _TWO, Budget(sales=1, losses=1, crashes=1), late=True, lag=True, reads=1, cancels=True),
    Config("F4", "webhooks only ask for a read, two of them, doubled", (2,), _TWO, Budget(sales=1, hooks=2, doubled=1), hook_body="wish", cancels=True, reads=1),
    Config("F4b", "webhooks may lower, two of them, doubled", (2,), _TWO, Budget(sales=1, hooks=2, doubled=1), hook_body="event", cancels=True, reads=1),
    Config("F4d", "webhooks whose body is built at delivery", (2,), _TWO, Budget(sales=1, losses=1, hooks=2, doubled=1), hook_body="delivery", cancels=True, reads=1),
    Config("F5", "the shop cancels both ways, and recounts", (2,), _TWO, Budget(sales=1, recounts=1, shop_cancels=1), cancels=True, reads=1),
    Config("F5b", "the same in a shop that never refuses, a loss", (2,), _TWO, Budget(sales=1, losses=1, recounts=1, shop_cancels=1), refuses=False, cancels=True, reads=1),
    Config("F6", "rejected as not there; set aside until counted", (2,), _TWO, Budget(sales=1, losses=1, recounts=1), cancels=True, dont_have=True, phantom=1, restores=False, reads=1),
    Config("F6b", "the same; the shop restores anyway", (2,), _TWO, Budget(sales=1, recounts=1), cancels=True, dont_have=True, phantom=1, reads=1),
    Config("F7", "the shop does not restore; the correction can be repeated", (2,), _TWO, Budget(sales=1, losses=1, crashes=1), cancels=True, restores=False, adjusts="idempotent", reads=1),
    Config("F8c", "three buyers of two units, a sale, cancel", (2,), ((1,), (1,), (1,)), Budget(sales=1), cancels=True, reads=1),
    Config("F9", "two units and one, of three", (3,), ((1,), (2,)), Budget(sales=1, losses=1), cancels=True, reads=1),
    Config("F11b", "taken late, cancelled in the shop", (2,), _TWO, Budget(sales=1, shop_cancels=1), takes="late", refuses=False, cancels=True, reads=1),
    Config("F12b", "unique there, a crash and a cancel", (1,), _TWO, Budget(sales=1, losses=1, crashes=1), unique=True, late=True, lag=True, cancels=True, reads=1),
    Config("F13", "two sales and a crash", (3,), _TWO, Budget(sales=2, crashes=1), reads=1, cancels=True),
    Config("P1b", "reads only when wanted; webhooks ask, the shop cancels, a crash", (2,), _TWO, Budget(sales=1, hooks=9, shop_cancels=1, crashes=1), polls=False, cancels=True, hook_body="wish", reads=1),
    Config("P2b", "two variants, crossed orders, refused for one of them, a crash", (1, 1), ((1, 1), (1, 1)), Budget(sales=1, losses=1, crashes=1), cancels=True, reads=1),
    Config("P4", "created twice, the first is kept; another buyer, a sale", (3,), _TWO, Budget(sales=1, losses=1), late=True, lag=True, cancels=True, impatient=True, reads=1),
)  # fmt: skip
