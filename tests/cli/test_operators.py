"""What an operator does on the server in an emergency: people, platforms, what was given up."""

from datetime import UTC, datetime

import pytest

import market
from crossdock.cli.main import main
from crossdock.store.models import ApiToken, AuditEntry, Command, Connection, Mail, Party, PlatformPause, Seller, User
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.outcomes.endpoints import add_endpoint
from crossdock.usecases.shops import connect
from crossdock.usecases.shops.connect import disconnect
from crossdock.usecases.shops.connection_test import connection_tested
from crossdock.usecases.shops.pausing import pause, resume
from crossdock.usecases.shops.timers import uninstalled
from crossdock.usecases.stock.reservations import sellable

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def staff() -> User:
    return market.user("ops@example.test", is_staff=True, roles="operations admin")


def _token(owner: market.Seller, name: str) -> ApiToken:
    return ApiToken.objects.create(name=name, hash=name, hint="h", seller=owner, made_by=owner.owner, created_at=NOW)


class TestAPerson:
    def test_access_ends_everywhere_and_another_s_stays(self) -> None:
        one, other = market.seller(), market.seller()
        mine, theirs = _token(one, "mine"), _token(other, "theirs")
        round_before = one.owner.session_round
        assert main(["person", one.owner.email, "--end-access"]) == 0
        one.owner.refresh_from_db()
        mine.refresh_from_db()
        theirs.refresh_from_db()
        assert one.owner.session_round == round_before + 1 and one.owner.is_active
        assert mine.revoked_at is not None and theirs.revoked_at is None

    def test_a_suspended_seller_cannot_come_in_and_their_shops_pause(
        self, staff: User, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seller = market.seller()
        shop, other = market.connection(seller), market.connection(market.seller())
        email = seller.owner.email
        receiver, _ = add_endpoint(
            seller=seller, actor=seller.owner, url="https://example.com/hook", name="", events=[], now=NOW
        )
        assert main(["person", email, "--suspend", "Complaints."]) == 1
        assert "name with --by" in capsys.readouterr().err
        seller.owner.refresh_from_db()
        assert seller.owner.is_active, "nothing was changed"
        assert main(["person", email, "--suspend", "Complaints.", "--by", staff.email]) == 0
        seller.owner.refresh_from_db()
        shop.refresh_from_db()
        other.refresh_from_db()
        assert (seller.owner.is_active, shop.state, other.state) == (False, "paused", "active")
        assert "Complaints." in Mail.objects.get(to=email, subject="Your account is suspended").body
        receiver.refresh_from_db()
        assert receiver.paused_at is not None and receiver.party.stopped
        assert not AuditEntry.objects.filter(subject__contains=email).exists(), "the log cannot be erased"
        assert {"suspended", "ended all sessions", "paused"} <= set(AuditEntry.objects.values_list("action", flat=True))
        assert main(["person", email, "--suspend", "Again.", "--by", staff.email]) == 1
        assert main(["person", email, "--restore"]) == 0
        assert main(["person", email, "--restore"]) == 1

    def test_nobody_of_that_address(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["person", "nobody@example.test", "--suspend", "x"]) == 1
        assert capsys.readouterr().err == "crossdock: Nobody signs in as nobody@example.test.\n"


def connected(seller: Seller, key: str, *, platform: str = "toy") -> Connection:
    attempt, _ = connect.start_attempt(
        seller=seller, user=seller.owner, platform=platform, way="key", address=f"http://{key}.test", form={}, now=NOW
    )
    proof = {"shop_id": key, "name": key, "currency": "USD", "checks": [], "settings": {}, "locations": []}
    connect.prove_attempt(attempt=attempt, secrets={"key": "k"}, proof=proof, preview=[], now=NOW)
    return connect.confirm_attempt(attempt=attempt, left_out=[], settings={}, now=NOW)


class TestAPlatform:
    def test_one_switch_and_what_was_paused_for_another_reason_stays(self, staff: User) -> None:
        toys = [market.connection(market.seller()) for _ in range(2)]
        other = market.connection(market.seller(), platform="other")
        Connection.objects.filter(pk=toys[1].pk).update(state="paused", state_sentence="Paused by you.")
        assert main(["platform", "toy", "--pause", "Its API refuses everybody.", "--by", staff.email]) == 0
        shop = Connection.objects.get(pk=toys[0].pk)
        assert shop.state == "paused" and "Its API refuses everybody." in shop.state_sentence
        assert Connection.objects.get(pk=other.pk).state == "active"
        assert "Its API refuses everybody." in Mail.objects.get(to=shop.seller.owner.email).body
        assert main(["platform", "toy", "--resume", "--by", staff.email]) == 0
        assert [Connection.objects.get(pk=toy.pk).state for toy in toys] == ["active", "paused"]

    def test_a_suspended_seller_s_shop_stays_paused(self, staff: User) -> None:
        shop, other = market.connection(market.seller()), market.connection(market.seller())
        email, by = shop.seller.owner.email, ["--by", staff.email]
        assert main(["platform", "toy", "--pause", "Away.", *by]) == 0
        assert main(["person", email, "--suspend", "Complaints.", *by]) == 0
        assert main(["platform", "toy", "--resume", *by]) == 0
        assert Connection.objects.get(pk=other.pk).state == "active"
        shop.refresh_from_db()
        assert shop.state == "paused" and "Complaints." in shop.paused_by_staff
        with pytest.raises(NotAllowed, match="suspended"):
            resume(connection=shop, actor=staff, now=NOW)
        assert main(["person", email, "--restore"]) == 0
        shop.refresh_from_db()
        assert shop.state == "paused"
        resume(connection=shop, actor=staff, now=NOW)
        shop.refresh_from_db()
        assert (shop.state, shop.paused_by_staff) == ("active", "")

    @pytest.mark.parametrize("state", ["needs_reauth", "paused"])
    def test_shops_that_do_not_sell_are_paused_too_and_are_what_they_were_afterwards(
        self, staff: User, state: str
    ) -> None:
        shop = market.connection(market.seller())
        Connection.objects.filter(pk=shop.pk).update(state=state, state_sentence="As before.")
        assert main(["platform", "toy", "--pause", "Away.", "--by", staff.email]) == 0
        shop.refresh_from_db()
        assert (shop.state, shop.state_sentence) == (state, "As before.") and "Away." in shop.paused_by_staff
        with pytest.raises(NotAllowed, match="Only our staff"):
            resume(connection=shop, actor=shop.seller.owner, now=NOW)
        if state == "needs_reauth":
            connection_tested(connection=shop, checks=[{"ok": True}], now=NOW)
            shop.refresh_from_db()
            assert shop.state == "paused", "a passed test does not end staff's pause"
        assert main(["platform", "toy", "--resume", "--by", staff.email]) == 0
        shop.refresh_from_db()
        assert shop.state == ("active" if state == "needs_reauth" else "paused") and not shop.paused_by_staff

    def test_a_seller_does_not_undo_it_by_removing_the_app(self, staff: User) -> None:
        shop = market.connection(market.seller())
        pause(connection=shop, actor=staff, why="Look.", now=NOW)
        uninstalled(connection_id=shop.pk, now=NOW)
        shop.refresh_from_db()
        assert shop.state == "needs_reauth" and "Look." in shop.paused_by_staff

    def test_what_is_connected_meanwhile_does_not_sell_until_it_is_resumed(self, staff: User) -> None:
        world = market.World(units=5)
        seller = market.seller()
        again, by = world.shop, ["--by", staff.email]
        disconnect(connection=again, actor=world.seller.owner, now=NOW)
        assert main(["platform", "toy", "--pause", "Its API refuses everybody.", *by]) == 0
        new, back = connected(seller, "new-shop"), connected(world.seller, again.shop_key)
        assert back.pk == again.pk
        for shop in (new, back):
            assert shop.state == "paused" and "Its API refuses everybody." in shop.state_sentence
            assert not sellable(shop)
            with pytest.raises(NotAllowed, match="Only our staff"):
                resume(connection=shop, actor=shop.seller.owner, now=NOW)
        other = connected(seller, "elsewhere", platform="other")
        assert other.state == "active"
        assert main(["platform", "toy", "--resume", *by]) == 0
        assert {Connection.objects.get(pk=shop.pk).state for shop in (new, back)} == {"active"}
        assert connected(seller, "later").state == "active"
        deeds = AuditEntry.objects.filter(subject="toy").order_by("pk").values_list("action", "actor")
        assert list(deeds) == [("platform paused", staff.pk), ("platform resumed", staff.pk)]

    def test_a_platform_that_nobody_connected_yet_and_one_that_is_none(self, staff: User) -> None:
        assert main(["platform", "shopify", "--pause", "Away.", "--by", staff.email]) == 0
        assert PlatformPause.objects.get().platform == "shopify"
        assert main(["platform", "shopyfi", "--pause", "Away.", "--by", staff.email]) == 1

    def test_who_is_not_staff_switches_nothing(self) -> None:
        shop = market.connection(market.seller())
        assert main(["platform", "toy", "--pause", "x", "--by", shop.seller.owner.email]) == 1
        assert Connection.objects.get(pk=shop.pk).state == "active"


def test_what_was_given_up_is_sent_again_by_its_cause(staff: User, capsys: pytest.CaptureFixture[str]) -> None:
    party = Party.objects.create(kind="payment", name="bank")
    for number, sentence in enumerate(["The bank was away.", "The bank was away.", "Refused by law."]):
        Command.objects.create(
            **{"party": party, "cause": f"c{number}", "subject": "s", "kind": "refund_payment", "payload": {}},
            **{"state": "dead", "sentence": sentence, "due_at": NOW, "created_at": NOW, "finished_at": NOW},
        )
    assert main(["resend"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "     2  refund_payment: The bank was away.",
        "     1  refund_payment: Refused by law.",
    ]
    assert main(["resend", "bank was away"]) == 1
    assert main(["resend", "bank was away", "--by", staff.email]) == 0
    assert list(Command.objects.filter(kind="refund_payment").order_by("pk").values_list("state", flat=True)) == [
        "waiting",
        "waiting",
        "dead",
    ]
    assert main(["resend", "no such thing", "--by", staff.email]) == 1
