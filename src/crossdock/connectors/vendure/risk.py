"""How we judged the order, as a private note in its history: Vendure has no other place for it.

A public one would stand in the buyer's account.
"""

from crossdock.connectors.vendure import mapper
from crossdock.connectors.vendure.client import Client
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteRisk
from crossdock.kit import risk
from crossdock.kit.errors import ending


@ending
async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """The notes are read first, since the same note can be added twice."""
    node = (await client.ask("Notes", id=command.shop_order_id)).opt_child("order")
    if node is None or not mapper.placed(node):
        return Refused(Why.NOT_FOUND, "Your shop no longer has this order.")
    done = Done(command.shop_order_id, node.str("code"))
    seen = [str(entry.get("note") or "") for entry in mapper.history(node)]
    if ended := risk.before(command, reference=mapper.reference_of(node), texts=seen, done=done):
        return ended
    await client.ask("AddNote", order=command.shop_order_id, note=risk.note(command))
    return done
