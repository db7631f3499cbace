"""Staff's admin: all can be looked at by who may read raw records, nothing can be changed, secrets are nowhere."""

import re
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crossdock.domain.commands import Done
from crossdock.domain.roles import GIVEN, Right, Role
from crossdock.store.models import ApiToken, Connection, Delivery, Mail, PolicySwitch, User
from crossdock.store.vault import seal
from crossdock.usecases.accounts import tokens
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.web.staff.admin import site
from market import World, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = World(units=9, now=datetime.now(UTC))
    order = made.buy()
    (claimed,) = made.claim()
    made.settle(claimed, Done("s1", stock_taken=True))
    ship_by_hand(order=order, lines=None, tracking="T1", carrier="", actor=made.seller.owner, now=made.later())
    tokens.make_token(name="till", seller=made.seller, actor=made.seller.owner, now=made.now)
    return made


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(user(is_staff=True, is_superuser=True))
    return client


# No page at all: what is in them is ciphertext, hashes, one-time keys or bookkeeping of other rows.
# What a label prints is on the label's own page; shipments in the shop and its lines are on the order's, lags on the
# shop's, and quarantine has its own pages.
NO_PAGE = {
    "auditends",
    "auditlink",
    "auditsending",
    "connectattempt",
    "cursor",
    # A copy of what is kept of somebody is theirs alone.
    "datapart",
    "datarun",
    # A seller's rules are on their page; definitions have their own; what waits to be filled again is bookkeeping.
    "fillrule",
    "fulfilment",
    "idempotentreply",
    "labeldocument",
    # Who reported a listing is read on the page of the listing, by who decides about it.
    "listingreport",
    # What buyer and seller write is read only where one of them reports it, on a page of its own.
    "message",
    "newslag",
    "orderline",
    # A seller's own tabs, notes and tags.
    "ordernote",
    "ordertag",
    "orderview",
    # A cache of the books; the reports show what it adds up to.
    "closing",
    # Staff's own page has every version with who wrote it.
    "branding",
    "pagetext",
    # What an agent typed for its buyer, with name and address; the orders that come of it have pages.
    "agentsession",
    # The page of a seller's money shows them, and no account number.
    "payout",
    "payoutaccount",
    "payouthold",
    # A row while a platform is paused; each of its shops says so.
    "platformpause",
    "quarantined",
    "refill",
    # What somebody looks for is nobody else's business.
    "savedsearch",
    # Who was asked into a team: the seller's page of staff says who came of it.
    "invitation",
    "selleraddress",
    "shipmentline",
    "shippingrate",
    "shopline",
    # A seller's own runs, on their page; what they did stands on each order.
    "bulkrow",
    "bulkrun",
    # Staff's page of ratings shows them; what they come to is the seller's page.
    "rating",
    "ratingsum",
    # For the two sides of an order, and staff who act for its seller.
    "returnpicture",
    # Hashes of who guessed how often.
    "signintry",
    # The page of a seller shows it while it stands, the audit log all of them.
    "suspension",
    # The page of who is new shows it, with its story.
    "sellerapproval",
    # Sealed, and on that page for who approves sellers.
    "sellerdetails",
    "approvalstep",
    "taggedorder",
    "taxonomy",
}


def pages() -> list[str]:
    """The list of every model, and one row of those that have one."""
    found: list[str] = []
    for model in site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{base}_changelist"))
        row = model._default_manager.first()
        found += [reverse(f"{base}_change", args=[row.pk])] if row else []
    return found


def test_every_table_has_a_page_or_a_reason(world: World) -> None:
    shown = {model._meta.model_name for model in site._registry}
    every = {model._meta.model_name for model in apps.get_app_config("store").get_models()}
    assert every - shown == NO_PAGE
    assert {model._meta.app_label for model in site._registry} == {"store"}, "nothing that libraries bring"


def test_every_row_can_be_looked_at_and_no_secret_is_there(world: World, staff: Client) -> None:
    """Searched for as text and, since ciphertext is bytes, as the marker of each."""
    marker = "mArKeR7c1"
    Connection.objects.update(secrets=seal({"key": marker}) + marker.encode())
    ApiToken.objects.update(hash=marker)
    User.objects.filter(pk=world.seller.owner_id).update(password=marker)
    Delivery.objects.create(
        party=world.shop.party, topic="t", dedupe="d", body=marker.encode(), received_at=world.now, handled_at=world.now
    )
    Mail.objects.update(body=marker)
    assert Mail.objects.exists()
    addresses = pages()
    for page in addresses:
        answer = staff.get(page)
        assert answer.status_code == 200, page
        assert marker not in answer.content.decode() + str(answer.headers), page
    assert len(addresses) > 45


def test_no_seller_opens_any_of_them(world: World) -> None:
    client = Client()
    client.force_login(world.seller.owner)
    for page in [*pages(), "/admin/", "/admin/store/apitoken/add/"]:
        answer = client.get(page)
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/"), page
        assert client.post(page, {"name": "x", "rule": "S3", "lifted": "on"}).status_code in (302, 403), page
    assert client.get("/admin/login/?next=/admin/").status_code == 403
    assert ApiToken.objects.count() == 1 and not PolicySwitch.objects.exists()


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_read_raw_records_comes_in(world: World, role: Role) -> None:
    client = Client()
    client.force_login(user(is_staff=True, roles=role))
    may = Right.RECORDS in GIVEN[role]
    assert may is (role == Role.ADMIN)
    for page in pages():
        assert client.get(page).status_code == (200 if may else 302), page


def test_the_sign_in_is_the_sites_own(client: Client) -> None:
    """Which counts failures; the admin's would let one guess for ever."""
    answer = client.get("/admin/login/?next=/admin/store/order/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=%2Fadmin%2Fstore%2Forder%2F")
    staff = user("staff@example.test", is_staff=True)
    assert client.post("/admin/login/", {"username": staff.email, "password": "pass-word-1"}).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("by", ["number", "reference", "e-mail"])
def test_an_order_is_found(world: World, staff: Client, by: str) -> None:
    wanted, other = world.buy(), world.buy()
    text = {"number": str(wanted.number), "reference": wanted.reference, "e-mail": wanted.buyer.email}[by]
    shown = staff.get("/admin/store/order/", {"q": text}).content.decode()
    assert wanted.reference in shown and other.reference not in shown
    assert wanted.reference not in staff.get("/admin/store/order/", {"q": "Zoë’s"}).content.decode()


WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|TRUNCATE)", re.IGNORECASE)


def test_no_write_reaches_the_database(world: World, staff: Client) -> None:
    """Every model: its form to add, to change, to delete, and its list with a deed; by somebody who is everything."""
    for model in site._registry:
        base, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", model._default_manager.first()
        pk = row.pk if row else 1
        fields = {field.name: "1" for field in model._meta.concrete_fields}
        told = {"_selected_action": [pk], "index": "0", "post": "yes", "select_across": "1", **fields}
        sent = [
            (reverse(f"{base}_add"), fields),
            (reverse(f"{base}_change", args=[pk]), fields),
            (reverse(f"{base}_delete", args=[pk]), {"post": "yes"}),
            *((reverse(f"{base}_changelist"), {**told, "action": deed}) for deed in ("delete_selected", "send_again")),
        ]
        for page, form in sent:
            with CaptureQueriesContext(connection) as asked:
                answer = staff.post(page, form)
            assert answer.status_code in (302, 403, 200), page
            written = [query["sql"] for query in asked if WRITES.match(query["sql"])]
            assert [sql for sql in written if "django_session" not in sql] == [], page
        assert site._registry[model].get_actions(request_of(staff)) == {}, model


def request_of(client: Client) -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    return request


@pytest.mark.parametrize("who", ["seller", "buyer", "nobody"])
def test_only_staff_come_in(world: World, who: str) -> None:
    client = Client()
    if who != "nobody":
        client.force_login(world.seller.owner if who == "seller" else user())
    for page in ("/admin/", "/admin/store/order/", "/admin/store/apitoken/add/"):
        answer = client.get(page)
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
