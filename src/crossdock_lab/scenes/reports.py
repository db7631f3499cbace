"""S9: a seller reports a problem from an order, staff answer, and the case file plays again offline.

Also S5's "ask about this order".
"""

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Order

NAME = "Zoë Buyer"


def report(stage: Stage) -> None:
    """S9.

    What was said between us and the shop is attached, blacked out, and today's connector makes the same of it.
    """
    from crossdock.store.models import Mail, User
    from crossdock.usecases.support import cases

    _, variant = stage.item(5)
    order = stage.buy(variant)
    stage.lands(order)
    (standing,) = stage.standing(order)
    number = f"R-{order.number}"
    stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking=number, carrier="UPS"))
    stage.trial.until(lambda: order.shipments.filter(tracking_number=number).exists(), PATIENCE, "the tracking number")
    stage.trial.until(
        lambda: _calls_with(_evidence(stage, order), number) != [],
        PATIENCE,
        "the recorded call that brought the number",
    )
    clerk, _ = User.objects.get_or_create(email="clerk@example.test", defaults={"is_staff": True, "roles": "admin"})
    evidence = _evidence(stage, order)
    case = cases.open_case(
        seller=stage.seller,
        opened_by=stage.seller.owner,
        kind="problem",
        subject=f"Order #{order.number} looks odd",
        body="Please look at it.",
        order=order,
        evidence=evidence,
        now=now(),
    )
    text = json.dumps(case.evidence, ensure_ascii=False)
    telling = all(word in text for word in (order.reference, standing.shop_id, number, variant.sku))
    stage.see(
        telling and len(case.evidence["calls"]) >= 2,
        "S9",
        f"reported with {len(case.evidence['calls'])} calls and {len(case.evidence['deliveries'])} deliveries attached",
    )
    named = [word for word in (NAME, "1 Elm Street", order.buyer.email, *_secrets(stage)) if word and word in text]
    stage.see(not named, "S9", "neither the buyer nor a key of the shop is in what was attached")
    cases.answer(case=case, author=clerk, body="We see it and look into it.", now=now())
    case.refresh_from_db()
    mailed = Mail.objects.filter(to=stage.seller.owner.email, cause__startswith=f"case:{case.public_id}").count()
    stage.see(
        case.state == "waiting_for_seller" and mailed == 1,
        "S9",
        "staff answered in the panel, and the seller was mailed once",
    )
    plays_again(stage, order, {"case": {"id": case.public_id, "subject": case.subject}, **case.evidence})
    cases.close(case=case, actor=stage.seller.owner, now=now())
    case.refresh_from_db()
    stage.see(case.state == "closed", "S9", "the seller closed the case")


def plays_again(stage: Stage, order: "Order", file: dict[str, Any]) -> None:
    """The file alone: no difference with the connector as it is, and one when an answer is changed. A page of orders
    that was too long to be recorded whole is missing, and no difference.
    """
    from crossdock.cli.replay import tell
    from crossdock.kit import replay

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = tell(replay.read(json.dumps(file)))
    *lines, last = said.getvalue().strip().splitlines()
    gaps = [line for line in lines if line.strip().startswith("missing:")]
    alike = code == 0 or (" 0 differ" in last and bool(gaps) and all(line.endswith("is cut") for line in gaps))
    stage.see(alike, "S9", f"the case file plays again without a difference: {last}")
    if not alike:
        print(said.getvalue())
    changed = json.loads(json.dumps(file))
    call = _calls_with(changed, f"R-{order.number}")[0]
    call["made"] = json.loads(json.dumps(call["made"]).replace(f"R-{order.number}", "CHANGED"))
    with contextlib.redirect_stdout(io.StringIO()):
        code = tell(replay.read(json.dumps(changed)))
    stage.see(code == 1, "S9", "a tracking number changed in the file is seen as a difference")


def question(stage: Stage) -> None:
    """S5: one thread per order, however often the button is pressed."""
    from crossdock.store.models import Case
    from crossdock.usecases.support.cases import open_case

    _, variant = stage.item(2)
    order = stage.buy(variant)
    stage.lands(order)
    for words in ("Is it safe to ship?", "Is it safe to ship?", "And the address?"):
        open_case(
            seller=stage.seller,
            opened_by=stage.seller.owner,
            kind="risk",
            subject="Is it safe?",
            body=words,
            order=order,
            now=now(),
        )
    (case,) = Case.objects.filter(order=order, kind="risk")
    stage.see(
        case.messages.count() == 2, "S5", "“Ask about this order” opened one thread with staff, pressed three times"
    )


def _evidence(stage: Stage, order: "Order") -> dict[str, Any]:
    from crossdock.store.models import Order
    from crossdock.usecases.support.evidence import gather, subject_of

    fresh = Order.objects.select_related("connection__party", "copy", "buyer").get(pk=order.pk)
    return gather(subject=subject_of(seller=stage.seller, order=fresh), now=now(), manifest=stage.manifest)


def _calls_with(file: dict[str, Any], number: str) -> list[dict[str, Any]]:
    """The calls that told of this tracking number."""
    return [call for call in file["calls"] if number in json.dumps(call["made"])]


def _secrets(stage: Stage) -> list[str]:
    from crossdock.store.models import Connection
    from crossdock.usecases.shops.connect import access_of

    access = access_of(connection=Connection.objects.get(pk=stage.connection.pk))
    return [value for value in access.secrets.values() if len(value) >= 8]


SCENES: tuple[Scene, ...] = (report, question)
BUGS: dict[str, tuple[Scene, ...]] = {}
