"""How an agent can pay here, as a payment handler of the protocol."""

from typing import Any

from crossdock.domain.agents.ucp import VERSION
from crossdock.kit.gateway import Gateway
from crossdock.web.agents.means import TYPE, offered, token_in
from crossdock.web.agents.refusing import Refusal
from crossdock.web.agents.ucp.asked import CompleteIn
from crossdock.web.payments import chosen_gateway


def handlers(*, with_config: bool) -> dict[str, Any]:
    """Empty where nothing can be paid by an agent. Which tokens it takes is said in a checkout alone."""
    gateway = chosen_gateway()
    if not (tokens := offered(gateway)):
        return {}
    said = {"id": gateway.name, "version": VERSION, "available_instruments": [{"type": TYPE}]}
    return {f"crossdock.{gateway.name}": [{**said, **({"config": {"tokens": list(tokens)}} if with_config else {})}]}


def paid_with(asked: CompleteIn, gateway: Gateway) -> str:
    """The token of the instrument that is selected, or of the only one. Raises Refusal for what is not offered."""
    path, each = "$.payment.instruments", asked.payment.instruments
    chosen = [number for number, one in enumerate(each) if one.selected] or list(range(len(each)))
    if len(chosen) != 1:
        raise Refusal(400, "invalid", "Select one instrument.", param=path)
    (number,) = chosen
    one = each[number]
    return token_in(
        gateway,
        handler=one.handler_id,
        token=one.credential.token if one.credential else "",
        at_handler=f"{path}[{number}].handler_id",
        at_token=f"{path}[{number}].credential.token",
    )
