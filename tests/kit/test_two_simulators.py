"""Two simulated shops of one platform are two shops: each has its own id, as two real ones have."""

import pytest

from crossdock.kit import discover
from crossdock.kit.conformance.stage import staged


@pytest.mark.parametrize("platform", list(discover.connectors()))
async def test_two_shops_of_a_platform_are_told_apart(platform: str) -> None:
    connector, sandbox = discover.connector(platform), discover.sandbox(platform)
    async with staged(connector, sandbox, seed=1) as one, staged(connector, sandbox, seed=2) as other:
        assert one.proof.shop_id != other.proof.shop_id
        assert one.proof.shop_id and other.proof.shop_id
