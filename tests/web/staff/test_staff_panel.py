"""Staff's panel: what needs a person, what staff do about it, and the trace that each deed leaves."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.domain.alerts import AlertCode
from crossdock.domain.incidents import Failing, incidents
from crossdock.store.models import (
    Alert,
    AuditEntry,
    Case,
    Command,
    Connection,
    Delivery,
    Exchange,
    Listing,
    Mail,
    Order,
    Party,
    PolicySwitch,
    User,
)
from crossdock.store.models.work import CommandState
from crossdock.usecases.catalogue.staff_search import look_up
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.policy import lifted, switch
from market import World, user
from market import connection as a_connection
from market import seller as a_seller

pytestmark = pytest.mark.django_db


class Desk:
    """A member of staff. `page` is the last page's text, `url` its address."""

    def __init__(self, who: User) -> None:
        self.who, self.client = who, Client()
        self.client.force_login(who)
        self.page = self.url = ""

    def get(self, url: str, **query: Any) -> int:
        return self._keep(self.client.get(url, query, follow=True), url)

    def post(self, url: str, **form: Any) -> int:
        return self._keep(self.client.post(url, form, follow=True), url)

    def _keep(self, answer: Any, url: str) -> int:
        self.url = answer.redirect_chain[-1][0] if answer.redirect_chain else url
        self.page = " ".join(unescape(answer.content.decode()).split())
        return int(answer.status_code)

    @property
    def words(self) -> str:
        """What is read on the page, without tags."""
        return " ".join(re.sub(r"<[^>]+>", " ", self.page).split())


@pytest.fixture
def world() -> World:
    return World(units=99, now=datetime.now(UTC))


@pytest.fixture
def desk() -> Desk:
    return Desk(user(name="Sam Staff", is_staff=True))


def landed(world: World) -> Order:
    order = world.buy()
    claimed = next(claim for claim in world.claim() if claim.subject == order.reference)
    world.settle(claimed, world.create_there(order))
    order.refresh_from_db()
    return order


def gave_up(world: World, *, attempts: int = 3) -> tuple[Order, Command]:
    order = world.buy()
    command = Command.objects.get(cause=f"create:{order.reference}")
    Command.objects.filter(pk=command.pk).update(
        state=CommandState.DEAD, attempts=attempts, sentence="The shop answered nothing for two hours."
    )
    command.refresh_from_db()
    return order, command


def arrived(world: World, *, ago: timedelta = timedelta(0), entity: str = "s1", **fields: Any) -> Delivery:
    looks = {"topic": "orders/updated", "looks": [{"kind": "order", "entity_id": entity}], "hints": []}
    return Delivery.objects.create(
        party=world.shop.party,
        topic="orders/updated",
        dedupe=f"d{Delivery.objects.count()}",
        news=looks,
        body=b"sEcReT-body",
        received_at=world.now - ago,
        **fields,
    )


class TestHome:
    def test_an_empty_desk_says_so(self, desk: Desk) -> None:
        assert desk.get("/staff/") == 200
        assert "Nothing needs you" in desk.page

    def test_numbers_lead_to_the_rows(self, world: World, desk: Desk) -> None:
        gave_up(world)
        gave_up(world)
        Connection.objects.filter(pk=world.shop.pk).update(state="needs_reauth", state_sentence="Sign in again.")
        late = a_connection(world.seller)
        Delivery.objects.create(
            party=late.party, topic="t", dedupe="x", body=b"", received_at=world.now - timedelta(minutes=9)
        )
        desk.get("/staff/")
        assert re.search(r'href="/staff/commands/\?state=dead"><span class="figure">2</span>', desk.page)
        assert re.search(r'href="/staff/shops/\?state=ill"><span class="figure">2</span>', desk.page)
        assert re.search(r'href="/staff/inbox/\?which=unread"><span class="figure">1</span>', desk.page)
        assert "Nothing needs you" not in desk.page

    def test_a_case_that_waits_for_the_seller_is_not_ours(self, world: World, desk: Desk) -> None:
        at = {"opened_at": world.now, "last_at": world.now, "kind": "problem"}
        Case.objects.create(seller=world.seller, subject="a", state="waiting_for_seller", **at)
        Case.objects.create(seller=world.seller, subject="b", state="closed", **at)
        desk.get("/staff/")
        assert "Nothing needs you" in desk.page
        Case.objects.create(seller=world.seller, subject="c", state="waiting_for_staff", **at)
        desk.get("/staff/")
        assert "Nothing needs you" not in desk.page and "Cases" in desk.page

    def test_a_delivery_of_a_paused_shop_waits_by_wish(self, world: World, desk: Desk) -> None:
        arrived(world, ago=timedelta(hours=1))
        Connection.objects.update(state="paused")
        desk.get("/staff/")
        assert "Nothing needs you" in desk.page


class TestCommands:
    def test_what_gave_up_comes_first_with_its_sentence(self, world: World, desk: Desk) -> None:
        order, _ = gave_up(world)
        other = landed(world)
        desk.get("/staff/commands/")
        assert f"Create the order #{order.number}" in desk.page
        assert "The shop answered nothing for two hours." in desk.page
        assert f"#{other.number}" not in desk.page
        desk.get("/staff/commands/", state="done", q=f"#{other.number}")
        assert f"#{other.number}" in desk.page and f"#{order.number}" not in desk.page
        desk.get("/staff/commands/", state="all", q=order.reference, party="shop", kind="create_order")
        assert f"#{order.number}" in desk.page
        desk.get("/staff/commands/", state="all", party="payment")
        assert f"#{order.number}" not in desk.page and "Nothing found" in desk.page

    def test_one_is_sent_again_with_a_trace(self, world: World, desk: Desk) -> None:
        order, command = gave_up(world)
        desk.post(f"/staff/commands/{command.pk}/resend/", back=f"/staff/orders/{order.public_id}/")
        command.refresh_from_db()
        assert (command.state, command.unresolved) == (CommandState.WAITING, True)
        assert desk.url == f"/staff/orders/{order.public_id}/"
        entry = AuditEntry.objects.get(action="resent")
        assert (entry.actor, entry.detail["command"]) == (desk.who, command.pk)
        told = order.timeline.get(kind="resent")
        assert told.source == "staff" and "Sam Staff" in told.sentence
        desk.post(f"/staff/commands/{command.pk}/resend/")
        assert "still being tried" in desk.page and AuditEntry.objects.count() == 1

    def test_it_leads_to_no_other_site(self, world: World, desk: Desk) -> None:
        _, command = gave_up(world)
        for back in ("https://elsewhere.test/staff/", "//elsewhere.test", "/seller/", "javascript:alert(1)"):
            desk.post(f"/staff/commands/{command.pk}/resend/", back=back)
            assert desk.url == "/staff/commands/"

    def test_many_are_looked_at_first(self, world: World, desk: Desk) -> None:
        first, one = gave_up(world)
        second, two = gave_up(world, attempts=0)
        third, three = gave_up(world)
        Command.objects.filter(pk=three.pk).update(state=CommandState.DONE)
        desk.get("/staff/commands/resend/", pick=[one.pk, two.pk, three.pk])
        assert "Send 2 again?" in desk.page
        assert "It is looked up first" in desk.page and "It is sent." in desk.page
        assert f"#{third.number}: done, so it is not sent again" in desk.page
        assert Command.objects.filter(state=CommandState.DEAD).count() == 2, "a look changes nothing"
        desk.post("/staff/commands/resend/", pick=[one.pk, two.pk, three.pk])
        assert "2 are tried again now." in desk.page and "create_order" in desk.page
        assert AuditEntry.objects.filter(action="resent").count() == 2
        assert first.timeline.filter(kind="resent").exists() and second.timeline.filter(kind="resent").exists()
        desk.post("/staff/commands/resend/", pick=[one.pk, two.pk])
        assert AuditEntry.objects.filter(action="resent").count() == 2, "a second click sends nothing"

    def test_all_that_the_filter_leaves(self, world: World, desk: Desk) -> None:
        order, _ = gave_up(world)
        gave_up(world)
        desk.get("/staff/commands/resend/", every="1", q=str(order.number))
        assert "Send 1 again?" in desk.page
        desk.get("/staff/commands/resend/", every="1", state="done")
        assert "nothing to send again" in desk.page

    def test_nonsense_is_no_error(self, world: World, desk: Desk) -> None:
        gave_up(world)
        nonsense = {"state": "x", "party": "y", "kind": "z\x00", "q": "9" * 60, "after": "-1", "pick": "a"}
        assert desk.get("/staff/commands/", **nonsense) == 200
        assert desk.get("/staff/commands/resend/", pick=["x", "9" * 40]) == 200
        assert desk.post("/staff/commands/resend/", pick=["x"]) == 200
        assert "Nothing was chosen." in desk.page


class TestInbox:
    def test_what_came_and_what_came_of_it(self, world: World, desk: Desk) -> None:
        arrived(world, ago=timedelta(minutes=10), doubles=2)
        arrived(world, handled_at=world.now, note="Nothing new.")
        desk.get("/staff/inbox/")
        assert "came 3 times" in desk.page and "Nothing new." in desk.page and "order s1" in desk.page
        assert "sEcReT" not in desk.page
        desk.get("/staff/inbox/", which="unread")
        assert "came 3 times" in desk.page and "Nothing new." not in desk.page
        desk.get("/staff/inbox/", which="noted", q=world.shop.name)
        assert "Nothing new." in desk.page
        desk.get("/staff/inbox/", which="all", q="no such shop")
        assert "No deliveries" in desk.page


NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def failing(*minutes: int, platform: str = "toy", error: str = "503") -> list[Failing]:
    return [Failing(platform, shop, NOON + timedelta(minutes=at), error) for shop, at in enumerate(minutes)]


class TestIncidents:
    @pytest.mark.parametrize(
        ("minutes", "found"),
        [
            ((), []),
            ((0, 1), []),
            ((0, 1, 2), [3]),
            ((0, 14, 28, 42), [4]),
            ((0, 40, 80), []),
            ((0, 1, 2, 60, 61, 62, 63), [4, 3]),
            ((5, 5, 5, 300), [3]),
        ],
    )
    def test_together_is_one_and_apart_is_none(self, minutes: tuple[int, ...], found: list[int]) -> None:
        seen = incidents(failing(*minutes), of={"toy": 10})
        assert [len(incident.shops) for incident in seen] == found

    def test_each_platform_for_itself(self) -> None:
        seen = incidents([*failing(0, 1), *failing(0, 1, 2, platform="other", error="401")], of={"other": 9})
        assert [(incident.platform, incident.of, incident.error) for incident in seen] == [("other", 9, "401")]

    def test_what_most_of_them_heard(self) -> None:
        (seen,) = incidents([*failing(0, error="a"), *failing(1, 2, error="b")], of={})
        assert (seen.error, seen.of, seen.first) == ("b", 3, NOON)

    def test_many_shops_are_one_incident_on_the_page(self, world: World, desk: Desk) -> None:
        shops = [a_connection(a_seller()) for _ in range(5)]
        for minute, shop in enumerate(shops[:4]):
            since = datetime.now(UTC) - timedelta(minutes=30 - minute)
            Party.objects.filter(pk=shop.party_id).update(
                failures=3, failing_since=since, last_error="503 from upstream."
            )
        for path in ("/staff/", "/staff/shops/"):
            desk.get(path)
            assert desk.page.count("shops do not work") == 1, path
            assert "4 of 6 shops do not work" in desk.words and "503 from upstream." in desk.page

    def test_signed_out_together_is_one_too(self, world: World, desk: Desk) -> None:
        for _ in range(3):
            shop = a_connection(a_seller())
            Connection.objects.filter(pk=shop.pk).update(state="needs_reauth", state_sentence="The key is dead.")
            raise_alert(code=AlertCode.SIGN_IN_AGAIN, seller=shop.seller, connection=shop, sentence="?", now=world.now)
        desk.get("/staff/shops/", state="ill")
        assert "3 of 4 shops do not work" in desk.words and "The key is dead." in desk.page


class TestShops:
    def test_the_table_filters(self, world: World, desk: Desk) -> None:
        other = a_connection(a_seller("Lantern"))
        Connection.objects.filter(pk=other.pk).update(state="needs_reauth", state_sentence="Sign in again.")
        desk.get("/staff/shops/")
        assert world.shop.name in desk.page and other.name in desk.page
        desk.get("/staff/shops/", state="ill")
        assert f">{world.shop.name}<" not in desk.page and f">{other.name}<" in desk.page
        desk.get("/staff/shops/", q="Lantern", state="active")
        assert "No shop is like that" in desk.page

    def test_a_shop_says_all_that_is_known(self, world: World, desk: Desk) -> None:
        order, _ = gave_up(world)
        arrived(world, note="Read again.", handled_at=world.now)
        Exchange.objects.create(
            party=world.shop.party, at=world.now, method="GET", url="/orders/1", status=503, milliseconds=9
        )
        desk.get(f"/staff/shops/{world.shop.public_id}/")
        for said in (f"#{order.number}", "Read again.", "/orders/1", world.seller.name, "The shop answered nothing"):
            assert said in desk.page, said

    def test_pausing_says_why_to_the_seller_and_to_the_log(self, world: World, desk: Desk) -> None:
        page = f"/staff/shops/{world.shop.public_id}/"
        desk.post(f"{page}pause/", why=" ")
        assert "Say why" in desk.page and Connection.objects.get().state == "active"
        desk.post(f"{page}pause/", why="The platform lost orders since noon.")
        shop = Connection.objects.get()
        assert shop.state == "paused" and "The platform lost orders since noon." in shop.state_sentence
        assert "Paused by you" not in shop.state_sentence
        mail = Mail.objects.get(subject__endswith="is paused")
        assert mail.to == world.seller.owner.email and "The platform lost orders since noon." in mail.body
        desk.post(f"{page}pause/", why="again")
        assert (
            AuditEntry.objects.filter(action="paused").count()
            == Mail.objects.filter(subject__endswith="is paused").count()
            == 1
        )
        assert "The platform lost orders since noon." in desk.page, "the trace stands on the shop's page"
        desk.post(f"{page}resume/")
        assert Connection.objects.get().state == "active"
        desk.post(f"{page}resume/")
        assert [entry.actor for entry in AuditEntry.objects.filter(action="resumed")] == [desk.who]

    def test_what_a_seller_pauses_leaves_no_staff_trace(self, world: World) -> None:
        seller = Desk(world.seller.owner)
        seller.post(f"/seller/shops/{world.shop.public_id}/pause/")
        assert Connection.objects.get().state_sentence.startswith("Paused by you")
        assert not AuditEntry.objects.exists()


class TestPolicy:
    def test_every_rule_with_both_sentences(self, desk: Desk) -> None:
        desk.get("/staff/policy/")
        for said in ("S1 ·", "S4b ·", "S9 ·", "Cancel where you like", "Shopify", "Vendure"):
            assert said in desk.page, said

    def test_a_look_comes_before_the_switch(self, desk: Desk) -> None:
        desk.get("/staff/policy/S3/")
        assert "Lift this rule?" in desk.page and "Afterwards" in desk.page and "Cancel where you like" in desk.page
        assert not lifted(rule="S3")
        desk.post("/staff/policy/S3/", to="lifted", why="Sellers asked.")
        assert lifted(rule="S3") and "is lifted from now on" in desk.page
        desk.post("/staff/policy/S3/", to="lifted")
        assert "was lifted already" in desk.page and PolicySwitch.objects.count() == 1
        entry = AuditEntry.objects.get(action="policy")
        assert (entry.actor, entry.subject, entry.detail) == (desk.who, "S3", {"lifted": True, "why": "Sellers asked."})
        desk.get("/staff/policy/S3/")
        assert "Back to as described?" in desk.page and "Sam Staff" in desk.page
        desk.post("/staff/policy/S3/", to="as-described")
        assert not lifted(rule="S3") and PolicySwitch.objects.count() == 2
        desk.get("/staff/policy/")
        assert "by Sam Staff" in desk.page

    def test_what_is_not_built_has_no_button_and_no_way(self, desk: Desk) -> None:
        desk.get("/staff/policy/S4a/")
        assert "Nothing goes beyond this rule" in desk.page and "Lift S4a" not in desk.page
        desk.post("/staff/policy/S4a/", to="lifted")
        assert "not built" in desk.page and not PolicySwitch.objects.exists()
        desk.post("/staff/policy/S3/", to="sideways")
        assert not PolicySwitch.objects.exists()
        assert desk.get("/staff/policy/S99/") == 404


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    if "Relation Name" in plan:
        yield plan
    for inner in plan.get("Plans", []):
        yield from scans(inner)


class TestLookUp:
    @pytest.mark.parametrize("by", ["number", "hash", "reference", "shop number", "tracking", "id"])
    def test_one_order_opens_at_once(self, world: World, desk: Desk, by: str) -> None:
        order = landed(world)
        landed(world)
        ship_by_hand(
            order=order, lines=None, tracking="1Z-9", carrier="UPS", actor=world.seller.owner, now=world.later()
        )
        text = {
            "number": str(order.number),
            "hash": f"#{order.number}",
            "reference": order.reference,
            "shop number": order.copy.shop_number,
            "tracking": "1z-9",
            "id": order.public_id,
        }[by]
        desk.get("/staff/find/", q=text)
        assert desk.url == f"/staff/orders/{order.public_id}/"

    def test_a_buyer_finds_all_their_orders(self, world: World, desk: Desk) -> None:
        order, other = world.buy(), world.buy()
        desk.get("/staff/find/", q=order.buyer.email.upper())
        assert desk.url == f"/staff/orders/{order.public_id}/"
        Order.objects.filter(pk=other.pk).update(buyer=order.buyer)
        desk.get("/staff/find/", q=order.buyer.email)
        assert f"#{order.number}" in desk.page and f"#{other.number}" in desk.page

    def test_sellers_listings_and_skus(self, world: World, desk: Desk) -> None:
        lantern = a_seller("Lantern & Søn")
        desk.get("/staff/find/", q="lantern & s")
        assert desk.url == f"/staff/sellers/{lantern.public_id}/"
        desk.get("/staff/find/", q=world.seller.owner.email)
        assert desk.url == f"/staff/sellers/{world.seller.public_id}/"
        desk.get("/staff/find/", q="fox-1")
        assert "Ember Fox" in desk.page and world.shop.name in desk.page
        desk.get("/staff/find/", q="ember")
        assert "FOX-1" in desk.page
        desk.get("/staff/find/", q="nothing like it")
        assert "Nothing found" in desk.page
        assert desk.get("/staff/find/", q="9" * 50) == 200
        desk.get("/staff/find/")
        assert "Orders by number" in desk.page

    def test_the_address_that_the_shop_has_finds_the_order(self, world: World, desk: Desk) -> None:
        order = world.buy()
        desk.get("/staff/find/", q=order.relay_email.upper())
        assert desk.url == f"/staff/orders/{order.public_id}/"

    @pytest.mark.parametrize("text", ["4711", "CD-1-ABCDE", "1z-9", "anna@example.test", "Ember"])
    def test_no_way_in_reads_a_whole_table(self, text: str) -> None:
        """Sellers are few; of everything else there are millions."""
        with CaptureQueriesContext(database) as asked:
            look_up(text=text)
        with database.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            for sql in [query["sql"].split(" ORDER BY ")[0] for query in asked.captured_queries]:
                if 'FROM "store_seller"' in sql:
                    continue
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
                for scan in scans(cursor.fetchone()[0][0]["Plan"]):
                    assert "Index Cond" in scan or "Recheck Cond" in scan, sql

    def test_more_than_one_page_says_so(self, world: World, desk: Desk) -> None:
        Listing.objects.bulk_create(
            Listing(
                seller=world.seller,
                title=f"Gale {n}",
                search=f"gale {n}",
                currency="USD",
                created_at=world.now,
                updated_at=world.now,
            )
            for n in range(25)
        )
        desk.get("/staff/find/", q="gale")
        assert desk.page.count("raw record") == 20 and "the newest 20" in desk.page


class TestOrder:
    def test_everything_about_an_order_is_on_one_page(self, world: World, desk: Desk) -> None:
        order = landed(world)
        ship_by_hand(
            order=order, lines=None, tracking="1Z-9", carrier="UPS", actor=world.seller.owner, now=world.later()
        )
        arrived(world, entity=order.copy.shop_order_id, note="The order is as it was.", handled_at=world.now)
        arrived(world, entity="another", note="Not this one.", handled_at=world.now)
        Exchange.objects.create(
            party=world.shop.party,
            subject=order.reference,
            at=world.now,
            method="POST",
            url="/orders",
            status=201,
            milliseconds=9,
        )
        raise_alert(
            code=AlertCode.ORDER_DIFFERS,
            seller=world.seller,
            order=order,
            sentence="Look at the colour.",
            now=world.now,
        )
        Case.objects.create(
            seller=world.seller,
            order=order,
            subject="Where is it?",
            kind="problem",
            opened_at=world.now,
            last_at=world.now,
        )
        desk.get(f"/staff/orders/{order.public_id}/")
        for said in (
            order.reference,
            order.buyer.email,
            world.seller.name,
            order.copy.shop_number,
            "1Z-9",
            "The order is as it was.",
            "POST /orders",
            "Look at the colour.",
            "Where is it?",
            "fees",
            f"seller:{world.seller.pk}",
            "Payment for order",
            "Your order",
            "Springfield",
            "signals",
        ):
            assert said in desk.page, said
        assert "Not this one." not in desk.page and "sEcReT" not in desk.page
        hold = order.reservations.get()
        assert hold.state.capitalize() in desk.page

    def test_an_order_in_no_shop(self, world: World, desk: Desk) -> None:
        order = world.buy()
        order.copy.delete()
        Order.objects.filter(pk=order.pk).update(connection=None)
        assert desk.get(f"/staff/orders/{order.public_id}/") == 200
        assert "None named this order." in desk.page
        assert desk.get("/staff/orders/nosuchorder/") == 404


class TestAudit:
    def log(self, desk: Desk) -> User:
        other = user(name="Ana Admin", is_staff=True)
        at = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
        note(actor=desk.who, action="resent", subject="create_order CD-1", now=at)
        note(actor=other, action="policy", subject="S3", now=at + timedelta(minutes=2), detail={"lifted": True})
        return other

    def test_filters(self, desk: Desk) -> None:
        other = self.log(desk)
        desk.get("/staff/audit/")
        assert "CD-1" in desk.page and ">S3<" in desk.page and "lifted: True" in desk.page
        for query, resent in (
            ({"who": str(desk.who.pk)}, True),
            ({"who": str(other.pk)}, False),
            ({"action": "resent"}, True),
            ({"action": "policy"}, False),
            ({"q": "cd-1"}, True),
            ({"q": "s3"}, False),
            ({"until": "2026-11-20"}, True),
            ({"since": "2026-11-21"}, False),
        ):
            desk.get("/staff/audit/", **query)
            assert ("CD-1" in desk.page, ">S3<" in desk.page) == (resent, not resent), query

    def test_nonsense_filters_nothing_or_all_but_never_fails(self, desk: Desk) -> None:
        self.log(desk)
        assert desk.get("/staff/audit/", since="2026-13-99", until="0001-01-01", who="x", q="\x00") == 200
        assert "CD-1" in desk.page
        assert desk.get("/staff/audit/", q="9" * 30) == 200
        assert "Nothing found" in desk.page

    def test_pages_go_on_without_a_gap(self, desk: Desk) -> None:
        for n in range(45):
            note(actor=desk.who, action="resent", subject=f"row-{n:02}", now=datetime.now(UTC))
        desk.get("/staff/audit/", action="resent")
        first = set(re.findall(r"row-\d\d", desk.page))
        following = re.search(r'rel="next" href="([^"]+)"', desk.page)
        assert len(first) == 40 and following and "action=resent" in following[1]
        desk.get(f"/staff/audit/{following[1]}")
        rest = set(re.findall(r"row-\d\d", desk.page))
        assert len(first | rest) == 45 and not first & rest

    def test_the_log_is_only_added_to(self, desk: Desk) -> None:
        note(actor=desk.who, action="resent", subject="x", now=datetime.now(UTC))
        assert desk.client.post("/staff/audit/").status_code == 405


class TestAlerts:
    def test_ours_are_settled_here_and_sellers_by_their_sellers(self, world: World, desk: Desk) -> None:
        ours = raise_alert(
            code=AlertCode.HIGH_RISK, seller=world.seller, sentence="Only we know.", for_staff=True, now=world.now
        )
        theirs = raise_alert(code=AlertCode.STOCK_DIFFERS, seller=world.seller, sentence="They know.", now=world.now)
        desk.get("/staff/")
        assert (
            'which=staff"><span class="figure">1</span>' in desk.page
            and "1 open alert to settle themselves" in desk.page
        )
        desk.get("/staff/alerts/")
        assert "They know." in desk.page and "Only we know." not in desk.page
        desk.get("/staff/alerts/", which="staff")
        assert "Only we know." in desk.page and "They know." not in desk.page
        desk.post(f"/staff/alerts/{ours.public_id}/settle/", how=" ")
        assert "Say how it was settled." in desk.page
        desk.post(f"/staff/alerts/{ours.public_id}/settle/", how="Looked at it.", back="/staff/alerts/?which=settled")
        assert "Looked at it." in desk.page and desk.who.name in desk.page
        assert AuditEntry.objects.get(action="alert settled").actor == desk.who
        assert desk.post(f"/staff/alerts/{theirs.public_id}/settle/", how="x") == 404
        theirs.refresh_from_db()
        assert theirs.settled_at is None

    def test_one_kind_over_all_sellers(self, world: World, desk: Desk) -> None:
        other = a_seller("Lantern")
        raise_alert(code=AlertCode.STOCK_DIFFERS, seller=other, sentence="There.", now=world.now)
        raise_alert(
            code=AlertCode.WEBHOOK_LOST, seller=world.seller, connection=world.shop, sentence="Here.", now=world.now
        )
        desk.get("/staff/alerts/", code="stock_differs")
        assert "There." in desk.page and "Here." not in desk.page and "Lantern" in desk.page


class TestActing:
    def begin(self, desk: Desk, world: World) -> None:
        desk.post(f"/staff/sellers/{world.seller.public_id}/act/", why="Phone call 17")

    def test_it_needs_a_reason_and_leaves_one(self, world: World, desk: Desk) -> None:
        desk.post(f"/staff/sellers/{world.seller.public_id}/act/", why="  ")
        assert "Say why" in desk.page and not AuditEntry.objects.exists()
        self.begin(desk, world)
        assert desk.url == "/seller/" and f"You act as {world.seller.name}" in desk.words
        entry = AuditEntry.objects.get(action="began to act as")
        assert (entry.actor, entry.subject, entry.detail["why"]) == (desk.who, world.seller.name, "Phone call 17")

    def test_the_banner_stands_on_every_page(self, world: World, desk: Desk) -> None:
        self.begin(desk, world)
        order = world.buy()
        for page in (
            "/seller/orders/",
            f"/seller/orders/{order.public_id}/",
            "/seller/listings/",
            "/staff/",
            "/",
            "/cart/",
            "/no-such-page/",
            "/accounts/email/",
        ):
            desk.get(page)
            assert f"You act as {world.seller.name}" in desk.words, page
            assert 'action="/staff/act/end/"' in desk.page, page

    def test_they_see_this_sellers_panel_and_no_others(self, world: World, desk: Desk) -> None:
        order = world.buy()
        foreign = World(now=datetime.now(UTC))
        theirs = foreign.buy()
        assert desk.client.get(f"/seller/orders/{order.public_id}/").status_code == 403
        self.begin(desk, world)
        assert desk.get(f"/seller/orders/{order.public_id}/") == 200
        assert desk.get(f"/seller/orders/{theirs.public_id}/") == 404

    def test_a_deed_is_done_by_staff_and_traced(self, world: World, desk: Desk) -> None:
        order, command = gave_up(world)
        self.begin(desk, world)
        desk.post(f"/seller/commands/{command.pk}/resend/")
        command.refresh_from_db()
        assert command.state == CommandState.WAITING
        assert "Sam Staff" in order.timeline.get(kind="resent").sentence
        trace = AuditEntry.objects.get(action="acted as")
        assert (trace.actor, trace.detail["path"]) == (desk.who, f"/seller/commands/{command.pk}/resend/")
        desk.post(f"/seller/orders/{order.public_id}/reject/", reason="lost", expected_total=str(order.total_minor))
        order.refresh_from_db()
        assert order.cancelled_at is not None
        assert AuditEntry.objects.filter(action="acted as", detail__order=order.public_id).count() == 1

    @pytest.mark.parametrize(
        "path",
        [
            "/seller/tokens/",
            "/seller/connect/toy/form/",
            "/seller/shops/{shop}/disconnect/",
            "/seller/profile/shipping/",
            "/accounts/email/",
            "/accounts/password/change/",
            "/sell/",
            "/cart/add/",
            "/admin/store/apitoken/add/",
            "/seller/connect/attempt/x/",
            "/seller/listings/x/count/y/",
            "/seller/cases/new/",
            "/seller/webhooks/",
        ],
    )
    def test_sign_ins_credentials_and_tokens_stay_closed(self, world: World, desk: Desk, path: str) -> None:
        self.begin(desk, world)
        before = Connection.objects.values().get()
        at = path.format(shop=world.shop.public_id)
        assert desk.post(at, name="mine", email="me@example.test", password1="x" * 12, password2="x" * 12) == 403
        assert "stays closed" in desk.page and f"You act as {world.seller.name}" in desk.words
        assert Connection.objects.values().get() == before
        assert not world.seller.tokens.exists()
        assert not AuditEntry.objects.filter(action="acted as").exists()

    def test_ending_it(self, world: World, desk: Desk) -> None:
        self.begin(desk, world)
        assert desk.client.get("/staff/act/end/").status_code == 405
        desk.post("/staff/act/end/")
        assert desk.url == f"/staff/sellers/{world.seller.public_id}/" and "You act as" not in desk.words
        assert AuditEntry.objects.get(action="ended acting as").detail["how"] == "Ended."
        assert desk.client.get("/seller/").status_code == 403
        desk.post("/staff/act/end/")
        assert desk.url == "/staff/" and AuditEntry.objects.filter(action="ended acting as").count() == 1

    def test_it_ends_by_itself_after_an_hour_and_nothing_is_sent(self, world: World, desk: Desk) -> None:
        _, command = gave_up(world)
        self.begin(desk, world)
        session = desk.client.session
        begun = datetime.fromisoformat(session["acting"]["until"]) - datetime.now(UTC)
        assert timedelta(minutes=59) < begun <= timedelta(minutes=60)
        session["acting"] = {**session["acting"], "until": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
        session.save()
        desk.post(f"/seller/commands/{command.pk}/resend/")
        command.refresh_from_db()
        assert command.state == CommandState.DEAD and "Nothing was sent." in desk.page
        assert "The 60 minutes" in AuditEntry.objects.get(action="ended acting as").detail["how"]
        assert "You act as" not in desk.words

    def test_signing_out_ends_it(self, world: World, desk: Desk) -> None:
        self.begin(desk, world)
        desk.post("/accounts/logout/")
        assert AuditEntry.objects.get(action="ended acting as").detail["how"] == "Signed out."
        desk.client.force_login(desk.who)
        assert desk.client.get("/seller/").status_code == 403

    def test_who_is_staff_no_more_acts_no_more(self, world: World, desk: Desk) -> None:
        self.begin(desk, world)
        User.objects.filter(pk=desk.who.pk).update(is_staff=False)
        assert desk.client.get("/seller/").status_code == 403
        assert b"You act as" not in desk.client.get("/").content

    def test_acting_as_another_ends_the_first(self, world: World, desk: Desk) -> None:
        other = World(now=datetime.now(UTC))
        self.begin(desk, world)
        self.begin(desk, other)
        assert f"You act as {other.seller.name}" in desk.words
        assert AuditEntry.objects.get(action="ended acting as").subject == world.seller.name

    def test_what_is_open_is_there(self) -> None:
        from tests.web.test_walls import PANEL

        from crossdock.web.acting import OPEN

        assert set(PANEL) > OPEN


PAGES: dict[str, str] = {
    "home": "/staff/",
    "commands": "/staff/commands/?state=all",
    "resend": "/staff/commands/resend/?every=1",
    "inbox": "/staff/inbox/?which=all",
    "quarantine": "/staff/quarantine/",
    "shops": "/staff/shops/",
    "shop": "/staff/shops/{shop}/",
    "sellers": "/staff/sellers/",
    "seller": "/staff/sellers/{seller}/",
    "order": "/staff/orders/{order}/",
    "find": "/staff/find/?q=Ember",
    "alerts": "/staff/alerts/",
    "policy": "/staff/policy/",
    "rule": "/staff/policy/S3/",
    "audit": "/staff/audit/",
}


def _grow(world: World, order: Order, desk: Desk, times: int) -> None:
    """More of everything, on the pages of one shop, one order and all of them."""
    for _ in range(times):
        other = World(now=datetime.now(UTC))
        gave_up(other)
        gave_up(world)
        arrived(world, entity=order.copy.shop_order_id, handled_at=world.now)
        Exchange.objects.create(
            party=world.shop.party, subject=order.reference, at=world.now, method="GET", url="/", milliseconds=1
        )
        shop = a_connection(world.seller)
        Party.objects.filter(pk=shop.party_id).update(failures=1, failing_since=world.now, last_error="503")
        raise_alert(
            code=AlertCode.ORDER_DIFFERS,
            seller=world.seller,
            order=order,
            connection=world.shop,
            sentence="?",
            now=world.now,
            key=f"k{Alert.objects.count()}",
        )
        Mail.objects.create(
            cause=f"m{Mail.objects.count()}", to="a@example.test", subject="s", order=order, written_at=world.now
        )
        Case.objects.create(
            seller=world.seller, order=order, subject="c", kind="problem", opened_at=world.now, last_at=world.now
        )
        note(
            actor=user(is_staff=True),
            action="resent",
            subject=str(order),
            now=world.now,
            detail={"seller": world.seller.public_id, "shop": world.shop.public_id},
        )
        switch(rule="S3", lift=not lifted(rule="S3"), actor=desk.who, now=world.now)


def _asked(desk: Desk, path: str) -> list[str]:
    with CaptureQueriesContext(database) as seen:
        assert desk.get(path) == 200
    return [query["sql"] for query in seen.captured_queries]


def test_no_page_asks_more_when_there_is_more(world: World, desk: Desk) -> None:
    order = landed(world)
    _grow(world, order, desk, 2)
    paths = {
        name: path.format(shop=world.shop.public_id, seller=world.seller.public_id, order=order.public_id)
        for name, path in PAGES.items()
    }
    before = {name: len(_asked(desk, path)) for name, path in paths.items()}
    _grow(world, order, desk, 6)
    after = {name: len(_asked(desk, path)) for name, path in paths.items()}
    assert after == before
    assert max(after.values()) <= 45, after


@pytest.mark.parametrize("name", ["commands", "inbox", "shops", "sellers", "alerts", "audit"])
def test_every_table_goes_on_to_a_second_page(world: World, desk: Desk, name: str, monkeypatch: Any) -> None:
    order = landed(world)
    _grow(world, order, desk, 4)
    shorten: Callable[..., Any] = __import__("crossdock.web.staff.panel", fromlist=["page_of"]).page_of
    monkeypatch.setitem(shorten.__kwdefaults__, "size", 2)
    desk.get(PAGES[name])
    following = re.search(r'rel="next" href="([^"]+)"', desk.page)
    assert following, name
    rows = desk.page.count("<tr>")
    assert rows == 3
    assert desk.get(PAGES[name].partition("?")[0] + following[1]) == 200
    assert "First page" in desk.page
