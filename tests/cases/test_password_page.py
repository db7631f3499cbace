"""A 401 that is not the platform's own word says nothing about our keys, and keys that work again need no reconnecting.

From a real shop whose host put a password page before it for an hour: it stayed closed until its seller reconnected,
although every connection test passed again.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

import market
from crossdock.domain.commands import SignInAgain
from crossdock.kit.connector import Check
from crossdock.store.models import Alert, Command, Connection, Cursor, Party
from crossdock.store.vault import seal
from crossdock.usecases.parties import leases
from crossdock.usecases.shops.connection_test import connection_tested
from crossdock.web.seller import asking
from market import World
from simulated import Town, town

pytestmark = pytest.mark.django_db
PASSED = [asdict(Check(True, "Sign-in")), asdict(Check(True, "Permission to write"))]


@pytest.fixture
def world() -> World:
    return World()


def closed(world: World) -> Connection:
    order = world.buy()
    command = Command.objects.get(subject=order.reference, kind="create_order")
    world.settle(command, SignInAgain("The keys may only read."))
    leases.sign_in_again(party_id=world.shop.party_id, sentence="The keys may only read.", now=world.later())
    return Connection.objects.select_related("party").get(pk=world.shop.pk)


class TestAPassedTest:
    def test_opens_a_shop_that_waited_for_its_seller(self, world: World) -> None:
        shop = closed(world)
        assert shop.state == "needs_reauth"
        now = world.later(3600)
        connection_tested(connection=shop, checks=PASSED, now=now)
        shop = Connection.objects.get(pk=shop.pk)
        assert (shop.state, shop.state_sentence) == ("active", "")
        assert not Alert.objects.filter(connection=shop, settled_at=None, order=None).exists()
        assert not Cursor.objects.filter(connection=shop, due_at__gt=now).exists()
        assert not Command.objects.filter(party=shop.party_id, state="waiting", due_at__gt=now).exists()
        assert Party.objects.get(pk=shop.party_id).resting_until is None
        assert shop.party_id in leases.due_parties(now=now)

    def test_that_failed_leaves_it_closed(self, world: World) -> None:
        shop = closed(world)
        checks = [*PASSED[:1], asdict(Check(False, "Permission to write", "These keys may only read."))]
        connection_tested(connection=shop, checks=checks, now=world.later())
        assert Connection.objects.get(pk=shop.pk).state == "needs_reauth"

    @pytest.mark.parametrize("state", ["paused", "disconnected"])
    def test_opens_nothing_that_somebody_closed(self, world: World, state: str) -> None:
        Connection.objects.filter(pk=world.shop.pk).update(state=state, state_sentence="By wish.")
        connection_tested(connection=Connection.objects.get(pk=world.shop.pk), checks=PASSED, now=world.later())
        shop = Connection.objects.get(pk=world.shop.pk)
        assert (shop.state, shop.state_sentence) == (state, "By wish.")


class TestAShopThatIsAsked:
    @pytest.fixture
    def streets(self, settings: Any) -> Iterator[Town]:
        settings.ALLOW_LOCAL_SHOPS = True
        with town() as made:
            yield made

    def connected(self, streets: Town) -> tuple[Any, Connection]:
        sandbox = streets.open("woocommerce")
        _, form = sandbox.seller_form()
        shop = market.connection(market.seller(), platform="woocommerce")
        secrets = {name: value for name, value in form.items() if name != "address"} | {"hook_secret": "ab" * 24}
        Connection.objects.filter(pk=shop.pk).update(address=sandbox.address, secrets=seal(secrets))
        shop = Connection.objects.get(pk=shop.pk)
        proof = asking._proof(asking.connect.access_of(connection=shop))
        Connection.objects.filter(pk=shop.pk).update(shop_key=proof.shop_id, settings=dict(proof.settings))
        leases.sign_in_again(party_id=shop.party_id, sentence="These keys may only read.", now=shop.created_at)
        return sandbox, Connection.objects.select_related("seller__owner", "party").get(pk=shop.pk)

    def test_read_only_keys_made_read_write_again_work_again(self, streets: Town) -> None:
        sandbox, shop = self.connected(streets)
        (key,) = sandbox.shelf.all("key")

        def permissions(words: str) -> None:
            sandbox.shelf.put("key", 1, {**key, "permissions": words}, key=key["consumer_key"])

        permissions("read")
        assert asking.test(shop)[0] is False
        assert Connection.objects.get(pk=shop.pk).state == "needs_reauth"
        permissions("read_write")
        assert asking.test(shop) == (True, "")
        assert Connection.objects.get(pk=shop.pk).state == "active"

    def test_another_shop_at_the_same_address_opens_nothing(self, streets: Town) -> None:
        _, shop = self.connected(streets)
        shop.shop_key = "elsewhere.example"
        well, words = asking.test(shop)
        assert not well and "another shop" in words
        assert Connection.objects.get(pk=shop.pk).state == "needs_reauth"
