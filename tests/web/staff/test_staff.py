"""Staff's admin: everything can be looked at, books cannot be touched, secrets are nowhere, and deeds go through the
use-cases.
"""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from crossdock.domain.commands import Done
from crossdock.store.models import ApiToken, AuditEntry, Command, Connection, Delivery, Mail, PolicySwitch, User
from crossdock.store.models.work import CommandState
from crossdock.store.vault import seal
from crossdock.usecases.accounts import tokens
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.record.policy import lifted
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
    "connectattempt",
    "cursor",
    "fulfilment",
    "idempotentreply",
    "labeldocument",
    "newslag",
    "orderline",
    "quarantined",
    "selleraddress",
    "shipmentline",
    "shippingrate",
    "shopline",
    # Hashes of who guessed how often.
    "signintry",
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
    for page in [*pages(), "/admin/", "/admin/store/apitoken/add/", "/admin/store/policyswitch/add/"]:
        answer = client.get(page)
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/"), page
        assert client.post(page, {"name": "x", "rule": "S3", "lifted": "on"}).status_code in (302, 403), page
    assert client.get("/admin/login/?next=/admin/").status_code == 403
    assert ApiToken.objects.count() == 1 and not PolicySwitch.objects.exists()


def test_staff_without_more_rights_look_and_switch_too(world: World) -> None:
    client = Client()
    client.force_login(user(is_staff=True))
    assert client.get("/admin/store/order/").status_code == 200
    client.post("/admin/store/policyswitch/add/", {"rule": "S3", "lifted": "on"})
    assert lifted(rule="S3")


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


def test_nothing_is_saved_raw(world: World, staff: Client) -> None:
    order = world.buy()
    page = f"/admin/store/order/{order.pk}/change/"
    assert staff.post(page, {"total_minor": 1, "money": "credited"}).status_code == 403
    order.refresh_from_db()
    assert (order.total_minor, order.money) == (1500, "paid")


def test_books_have_no_form(world: World, staff: Client) -> None:
    for name in ("entry", "transfer", "movement", "timelineentry", "auditentry", "order"):
        assert staff.get(reverse(f"admin:store_{name}_add")).status_code == 403
        assert staff.post(reverse(f"admin:store_{name}_delete", args=[1])).status_code == 403


@pytest.mark.parametrize("who", ["seller", "buyer", "nobody"])
def test_only_staff_come_in(world: World, who: str) -> None:
    client = Client()
    if who != "nobody":
        client.force_login(world.seller.owner if who == "seller" else user())
    for page in ("/admin/", "/admin/store/order/", "/admin/store/apitoken/add/"):
        answer = client.get(page)
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")


def test_a_rule_is_switched_with_an_audit_entry(staff: Client) -> None:
    staff.post("/admin/store/policyswitch/add/", {"rule": "S3", "lifted": "on"})
    assert lifted(rule="S3")
    assert PolicySwitch.objects.count() == AuditEntry.objects.filter(action="policy").count() == 1
    answer = staff.post("/admin/store/policyswitch/add/", {"rule": "S4", "lifted": "on"})
    assert b"not built yet" in answer.content and not lifted(rule="S4")


def test_what_gave_up_is_sent_again(world: World, staff: Client) -> None:
    order = world.buy()
    dead = Command.objects.get(cause=f"create:{order.reference}")
    Command.objects.filter(pk=dead.pk).update(state=CommandState.DEAD)
    done = Command.objects.filter(state=CommandState.DONE).first()
    assert done is not None
    rows = {"action": "send_again", "_selected_action": [dead.pk, done.pk]}
    answer = staff.post("/admin/store/command/", rows, follow=True)
    dead.refresh_from_db()
    done.refresh_from_db()
    assert (dead.state, done.state) == (CommandState.WAITING, CommandState.DONE)
    assert b"1 sent again" in answer.content and b"still being tried" in answer.content
    assert AuditEntry.objects.filter(action="resent").count() == 1


def test_the_markets_token_is_made_here_and_shown_once(staff: Client) -> None:
    answer = staff.post("/admin/store/apitoken/add/", {"name": "storefront", "seller": ""}, follow=True)
    token = ApiToken.objects.get()
    shown = answer.content.decode().split("it is not shown again: ")[1].split("<")[0].strip()
    assert token.seller is None and tokens.hash_of(shown) == token.hash
    assert shown not in staff.get(f"/admin/store/apitoken/{token.pk}/change/").content.decode()
