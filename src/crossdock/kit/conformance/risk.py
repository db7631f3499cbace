"""55x: how we judged an order, written where the shop's staff see it.

Once per judgement, never to another order, never for the buyer's eyes.
"""

from collections.abc import Sequence
from dataclasses import replace

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CreateOrder, Done, Later, Refused, RiskFact, Unknown, WriteRisk
from crossdock.domain.risk import RiskLevel, Sentiment
from crossdock.kit.conformance.stage import Stage, another_id
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.hand import ReadsNotes

CREATE, RISK = Capability.ORDER_CREATE, Capability.RISK_WRITE
MOST_CALLS = 20
BAD, GOOD = "The card's security code did not match.", "The buyer has earlier orders that went well."


def judged(command: CreateOrder, done: Done, key: str = "1", level: RiskLevel = RiskLevel.HIGH) -> WriteRisk:
    facts = (RiskFact(Sentiment.NEGATIVE, BAD), RiskFact(Sentiment.POSITIVE, GOOD))
    return WriteRisk(command.reference, done.shop_id, level, facts, 12, 34, f"risk:{command.reference}:{key}")


def hand_of(stage: Stage) -> ReadsNotes:
    expect(isinstance(stage.hand, ReadsNotes), "the shop's hand does not say what is written at an order")
    assert isinstance(stage.hand, ReadsNotes)
    return stage.hand


async def written(stage: Stage, done: Done, key: str) -> Sequence[str]:
    """What the shop's staff read there under this key."""
    return [text for text in await hand_of(stage).staff_words(done.shop_id) if key in text]


async def an_order(stage: Stage) -> tuple[CreateOrder, Done]:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    return command, await stage.placed(command)


@scenario(
    551,
    CREATE,
    RISK,
    title="The level stands at the order with its reasons, at that one only, and the order stays as it was",
)
async def writes(stage: Stage) -> None:
    command, done = await an_order(stage)
    _, other = await an_order(stage)
    before = await stage.connector.order(stage.shop, done.shop_id)
    risk = judged(command, done)
    outcome = await stage.connector.write_risk(stage.shop, risk)
    expect(isinstance(outcome, Done) and not outcome.already, f"it gave {outcome}")
    texts = await written(stage, done, risk.key)
    expect(len(texts) == 1, f"the staff read {texts}")
    expect("high" in texts[0].lower() and BAD in texts[0] and GOOD in texts[0], f"the staff read {texts[0]!r}")
    expect("12 of 34" in texts[0], "it does not say how many signals were available")
    expect(not any("Risk" in text for text in await hand_of(stage).staff_words(other.shop_id)), "another order got it")
    after = await stage.connector.order(stage.shop, done.shop_id)
    same = (after.state, after.lines, after.total, after.parcels, after.refunds)
    expect(
        same == (before.state, before.lines, before.total, before.parcels, before.refunds), f"the order is now {after}"
    )


@scenario(552, CREATE, RISK, title="The same judgement again is there already; another one stands beside it")
async def once_a_key(stage: Stage) -> None:
    command, done = await an_order(stage)
    risk = judged(command, done)
    await stage.connector.write_risk(stage.shop, risk)
    again = await stage.connector.write_risk(stage.shop, risk)
    expect(isinstance(again, Done) and again.already, f"again, it gave {again}")
    expect(len(await written(stage, done, risk.key)) == 1, "it stands there twice")
    later = judged(command, done, key="12", level=RiskLevel.LOW)
    outcome = await stage.connector.write_risk(stage.shop, later)
    expect(isinstance(outcome, Done) and not outcome.already, f"another judgement gave {outcome}")
    newest = (await hand_of(stage).staff_words(done.shop_id))[-1]
    expect(later.key in newest and "low" in newest.lower(), f"the newest says {newest!r}")


@scenario(553, CREATE, RISK, title="The buyer sees nothing of it and is not written to")
async def unseen(stage: Stage) -> None:
    command, done = await an_order(stage)
    before = await hand_of(stage).buyer_words(done.shop_id)
    await stage.connector.write_risk(stage.shop, judged(command, done))
    after = await hand_of(stage).buyer_words(done.shop_id)
    expect(list(after) == list(before), f"the buyer reads {[text for text in after if text not in before]}")


@scenario(554, CREATE, RISK, title="Words longer than the shop takes are cut; not assessed is never called low")
async def long_words(stage: Stage) -> None:
    command, done = await an_order(stage)
    facts = tuple(RiskFact(Sentiment.NEGATIVE, f"Reason {n}: " + "long " * 100) for n in range(40))
    risk = replace(judged(command, done, level=RiskLevel.NOT_ASSESSED), facts=facts)
    outcome = await stage.connector.write_risk(stage.shop, risk)
    expect(isinstance(outcome, Done), f"it gave {outcome}")
    (text,) = await written(stage, done, risk.key)
    expect("Reason 0:" in text and "Reason 39:" not in text, f"the staff read {text[:300]!r}")
    expect("not assessed" in text and "Risk: LOW" not in text, f"the staff read {text[:300]!r}")
    again = await stage.connector.write_risk(stage.shop, risk)
    expect(isinstance(again, Done) and again.already, f"again, it gave {again}")


@scenario(555, CREATE, RISK, title="An order that is not there or not ours is left alone")
async def strangers(stage: Stage) -> None:
    command, done = await an_order(stage)
    risk = judged(command, done)
    (variant,) = await stage.product(9)
    theirs = await stage.hand.sell(variant, 1)
    for what, asked in {
        "an order that is not there": replace(risk, shop_order_id=another_id(done.shop_id)),
        "another order of ours": replace(risk, reference="XD-NEVER-0000"),
        "the shop's own": replace(risk, shop_order_id=theirs),
    }.items():
        outcome = await stage.connector.write_risk(stage.shop, asked)
        expect(isinstance(outcome, Refused), f"{what}: {outcome}")
    expect(not await written(stage, done, risk.key), "it was written all the same")
    expect(not any("Risk" in text for text in await hand_of(stage).staff_words(theirs)), "the shop's own order got it")


@scenario(
    556,
    CREATE,
    RISK,
    title="With the answer to any of its calls lost: found when it is repeated, written once",
    simulated=True,
)
async def lost(stage: Stage) -> None:
    for skip in range(MOST_CALLS):
        command, done = await an_order(stage)
        risk = judged(command, done)
        before = stage.dial.counts["lost_reply"]
        stage.dial.once("lost_reply", skip=skip)
        outcome = await stage.connector.write_risk(stage.shop, risk)
        hit = stage.dial.counts["lost_reply"] > before
        stage.dial.calm()
        expect(isinstance(outcome, Done | Unknown | Later), f"a lost answer gave {outcome}")
        if not isinstance(outcome, Done):
            there = bool(await written(stage, done, risk.key))
            again = await stage.connector.write_risk(stage.shop, risk)
            expect(isinstance(again, Done) and again.already == there, f"repeated, it gave {again}")
        expect(
            len(await written(stage, done, risk.key)) == 1, f"it stands there {await written(stage, done, risk.key)}"
        )
        if not hit:
            expect(skip > 0, "no call was made")
            return
