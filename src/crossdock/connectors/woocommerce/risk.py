"""How we judged the order, as a private note: WooCommerce has no other place for it.

A customer note would be mailed to the buyer; ours never is one.
"""

from dataclasses import replace

from crossdock.connectors.woocommerce import mapper
from crossdock.connectors.woocommerce.client import Client
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteRisk
from crossdock.kit import risk
from crossdock.kit.errors import Strange, ending
from crossdock.kit.tame import tame


@ending
async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """The notes are read first: all of them come at once, and the same note can be added twice."""
    if not command.shop_order_id.isdigit():
        return Refused(Why.NOT_FOUND, "That is no order of this shop.")
    path = f"orders/{command.shop_order_id}"
    node = await client.one(path)
    done = Done(command.shop_order_id, node.text("number"))
    seen = [each.text("note") for each in (await client.rows(f"{path}/notes", {"type": "internal"})).items]
    known = replace(done, already=True)
    if ended := risk.before(command, reference=mapper.reference_of(node), texts=seen, done=known):
        return ended
    body = {"note": risk.note(command), "customer_note": False}
    made = tame(await client.ask("POST", f"{path}/notes", json=body), "note")
    if made.bool("customer_note"):
        raise Strange("note.customer_note", "private note", True)
    return done
