"""Which shop it is that answers, and the name by which its seller tells it from the others."""

from collections.abc import Mapping
from typing import Any

from crossdock.store.models import ConnectAttempt, Connection
from crossdock.store.models.shops import ConnectionState


def is_same_shop(key: str, shop_id: str, stays: str) -> bool:
    """Whether the shop that was kept under `key` is the one that answers now, maybe at another address."""
    return key == shop_id or bool(stays and (key == stays or key.startswith(f"{stays}@")))


def name_of(attempt: ConnectAttempt, proof: Mapping[str, Any], shop: Connection) -> str:
    """Its own name; with the address where the seller has another shop of that name."""
    name, host = proof["name"][:120], attempt.address.partition("://")[2][:70]
    others = Connection.objects.filter(seller=attempt.seller).exclude(pk=shop.pk)
    taken = others.exclude(state=ConnectionState.DISCONNECTED).filter(name=name).exists()
    return f"{name} ({host})" if taken else name
