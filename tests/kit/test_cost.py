"""What a shop is asked: the counts that documentation shows are what the simulators count, and our pace stays below
what vendors allow.
"""

import pytest

import picking
from crossdock.cli.docs import platforms_page
from crossdock.kit import discover
from crossdock.kit.budget import LONGEST_WAIT, SHARE
from crossdock.kit.conformance import cost
from crossdock.kit.conformance.stage import staged

pytestmark = pytest.mark.long
PLATFORMS = list(discover.connectors())


@pytest.mark.parametrize("platform", picking.platforms())
async def test_what_is_kept_is_what_is_counted(platform: str) -> None:
    counted = await cost.measured(discover.connector(platform), discover.sandbox(platform))
    assert cost.of(platform) == counted, f"crossdock check connector {platform} --record"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_fifth_of_what_the_vendor_allows_is_left_to_others(platform: str) -> None:
    pace = discover.connector(platform).manifest.pace
    if pace.published is not None:
        assert pace.per_second <= 0.8 * pace.published


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_who_connects_is_not_told_to_wait(platform: str) -> None:
    """The connection test and the first page of products fit into the part of the pace that people have to themselves:
    into its burst, or each call soon after the one before.
    """
    connector = discover.connector(platform)
    async with staged(connector, discover.sandbox(platform)) as stage:
        await stage.product(1)
        begun = stage.dial.counts["calls"]
        assert (await connector.prove(stage.shop)).ok
        await connector.products(stage.shop, "")
        calls = stage.dial.counts["calls"] - begun
    pace, share = connector.manifest.pace, SHARE["interactive"]
    assert calls <= pace.burst * share or 1 / (pace.per_second * share) <= LONGEST_WAIT["interactive"], calls


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_shop_at_rest_takes_little_of_what_is_allowed(platform: str) -> None:
    manifest = discover.connector(platform).manifest
    calls = cost.of(platform)
    assert calls is not None
    assert calls.an_hour_at_rest(manifest, proven=True) <= calls.an_hour_at_rest(manifest, proven=False)
    # The most that any platform needs today; a connector that needs more should have a reason that convinces.
    assert calls.an_hour_at_rest(manifest, proven=False) <= 70
    assert calls.order <= 21 and calls.products <= 100


def test_the_page_compares_all_of_them() -> None:
    manifests = [discover.connector(platform).manifest for platform in PLATFORMS]
    table = platforms_page(manifests).partition("## Calls")[2].partition("\n## ")[0]
    for manifest in manifests:
        assert f"| {manifest.label} |" in table
