"""How we judged the order, as a risk assessment of our app's: the one native place for it that any of the platforms
has. No buyer sees it.
"""

from crossdock.connectors.shopify import mapper
from crossdock.connectors.shopify.client import ask, user_errors
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteRisk
from crossdock.domain.risk import RiskLevel
from crossdock.kit import risk
from crossdock.kit.connector import Shop

# "Up to 20 facts can be provided." "Descriptions longer than 256 characters are truncated." (the schema)
MOST_FACTS, LONGEST_FACT = 20, 256


async def write_risk(shop: Shop, command: WriteRisk) -> Outcome:
    """An assessment more, beside the earlier ones: Shopify lets nobody change or delete one."""
    gid = mapper.gid("Order", command.shop_order_id)
    node = (await ask(shop, "RiskOfOrder", {"id": gid, **mapper.FIELD})).opt_child("order")
    if node is None:
        return Refused(Why.NOT_FOUND, "The shop does not have this order any more.")
    done = Done(command.shop_order_id, node.text("name"), f"{shop.address}/admin/orders/{command.shop_order_id}")
    seen = [fact.text("description") for each in node.child("risk").rows("assessments") for fact in each.rows("facts")]
    if ended := risk.before(command, reference=mapper.reference(node), texts=seen, done=done):
        return ended
    level = "NONE" if command.level is RiskLevel.NOT_ASSESSED else command.level.upper()
    rows = risk.facts(command, most=MOST_FACTS, longest=LONGEST_FACT)
    facts = [{"sentiment": sentiment.upper(), "description": words} for sentiment, words in rows]
    wish = {"orderId": gid, "riskLevel": level, "facts": facts}
    errors = user_errors((await ask(shop, "WriteRisk", {"risk": wish})).child("orderRiskAssessmentCreate"))
    if errors:
        code, words = errors[0]
        why = {"ORDER_ALREADY_FULFILLED": Why.TOO_LATE, "NOT_FOUND": Why.NOT_FOUND}.get(code, Why.INVALID)
        return Refused(why, f"Shopify did not take the risk level: {words}")
    return done
