"""S4: stock that explains itself: a scarce line is asked for before it is paid, limits keep units back, chosen
locations count, a shop is compared after an outage.
"""

from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import LIFTED, PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import PaymentIntent, Variant

RULE = "S4"


def held(stage: Stage, variant: "Variant") -> "PaymentIntent":
    """A checkout that has not paid yet."""
    from crossdock.domain.values import Address
    from crossdock.usecases.checkout.basket import Basket, priced
    from crossdock.usecases.checkout.checkout import open_checkout

    basket = Basket(lines={variant.public_id: 1})
    shown = priced(basket=basket, country="US", now=now())
    return open_checkout(
        buyer=stage.buyer,
        basket=basket,
        ship_to=Address("Zoë Buyer", "1 Elm Street", "Springfield", "US", "12345", region="IL"),
        key=f"scarce-{stage.platform}-{variant.pk}",
        fingerprint=shown.fingerprint,
        gateway="sandbox",
        now=now(),
    )


def asked_before_paid(stage: Stage) -> None:
    """The shop sells its last unit while a buyer here is about to pay: asked in time, refused in words, nothing
    charged.
    """
    from crossdock.usecases.checkout import confirm_stock
    from crossdock.web.live import heard_of

    stage.calm()
    ref, variant = stage.item(1)
    intent = held(stage, variant)
    stage.trial.call(stage.shop.hand.sell(ref, 1))
    questions = confirm_stock.questions_of(intent_id=intent.public_id, now=now())
    if not questions:
        stage.see(False, RULE, "the last unit was not worth asking for", LIFTED)
        return
    begun = now()
    answers = list(zip(questions, heard_of(questions, within=10), strict=True))
    verdict = confirm_stock.judged(intent_id=intent.public_id, answers=answers, now=now())
    took = (now() - begun).total_seconds()
    stage.see(not verdict.go, RULE, f"the shop was asked in {took:.2f} s before payment: {verdict.sentence}", LIFTED)
    intent.refresh_from_db()
    stage.see(
        intent.state == "declined" and stage.available(variant) == 0,
        RULE,
        "nothing was charged, nothing is for sale",
        LIFTED,
    )


def limits(stage: Stage) -> None:
    """Buffer, floor and the most that is shown, for one listing."""
    from crossdock.usecases.stock.limits import Limits, set_limits

    ref, variant = stage.item(8)
    seen = []
    for chosen in (Limits(buffer=3), Limits(most=2), Limits(floor=8), Limits(floor=9)):
        set_limits(listings=[variant.listing], limits=chosen, actor=stage.seller.owner, now=now())
        seen.append(stage.available(variant))
    stage.see(
        seen == [5, 2, 8, 0],
        RULE,
        f"of {stage.count(ref)}: keep 3 back, show 2 at most, floor 8, floor 9: {seen}",
        LIFTED,
    )


def compared(stage: Stage) -> None:
    """The shop sells while nobody here listens; comparing finds it, names the cause and shows the shop's count."""
    from crossdock.store.models import Cursor, Difference, Recount
    from crossdock.usecases.stock.reconcile import ask_for_recount

    ref, variant = stage.item(5)
    done = Cursor.objects.filter(connection=stage.connection, stream="products", completed_at__isnull=False)
    stage.trial.until(done.exists, PATIENCE, "the first reading")
    stage.trial.worker.stop()
    stage.trial.call(stage.shop.hand.recount(ref, 2))
    run = ask_for_recount(connection=stage.connection, actor=stage.seller.owner, now=now())
    stage.trial.worker.start()
    stage.trial.until(
        lambda: Recount.objects.filter(pk=run.pk, finished_at__isnull=False).exists(), PATIENCE, "the comparison"
    )
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    run.refresh_from_db()
    found = Difference.objects.filter(variant=variant).exclude(cause="echo").first()
    # A webhook that arrived first may have been read before the comparison came to it.
    words = f"found as “{found.cause}”, {found.expected} expected" if found else "a webhook had been read already"
    stage.see(
        stage.available(variant) == 2,
        RULE,
        f"changed in the shop while we were off: {words}; {run.pages + run.batches} calls",
        LIFTED,
    )


SCENES: tuple[Scene, ...] = (asked_before_paid, limits, compared)
BUGS: dict[str, tuple[Scene, ...]] = {}
