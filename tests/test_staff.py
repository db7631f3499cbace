"""Staff's admin: everything can be looked at, books cannot be touched, secrets are nowhere, and deeds go through the use-cases."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from tests.market import World, user

from crossdock.domain.commands import Done
from crossdock.store.models import ApiToken, AuditEntry, Command, PolicySwitch
from crossdock.store.models.work import CommandState
from crossdock.usecases import access
from crossdock.usecases.orders import ship_by_hand
from crossdock.usecases.policy import lifted
from crossdock.web.staff.admin import site

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = World(units=9, now=datetime.now(UTC))
    order = made.buy()
    (claimed,) = made.claim()
    made.settle(claimed, Done("s1", stock_taken=True))
    ship_by_hand(order=order, lines=None, tracking="T1", carrier="", actor=made.seller.owner, now=made.later())
    access.make_token(name="till", seller=made.seller, actor=made.seller.owner, now=made.now)
    return made


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(user(is_staff=True, is_superuser=True))
    return client


def test_every_row_can_be_looked_at_and_no_secret_is_there(world: World, staff: Client) -> None:
    secrets = [bytes(world.shop.secrets).decode(), ApiToken.objects.get().hash, world.seller.owner.password]
    seen = 0
    for model in site._registry:
        if model._meta.app_label != "store":
            continue
        base = f"admin:store_{model._meta.model_name}"
        pages = [reverse(f"{base}_changelist")]
        row = model._default_manager.first()
        pages += [reverse(f"{base}_change", args=[row.pk])] if row else []
        for page in pages:
            answer = staff.get(page)
            assert answer.status_code == 200, page
            assert not any(secret in answer.content.decode() for secret in secrets), page
            seen += 1
    assert seen > 40


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
    answer = staff.post("/admin/store/policyswitch/add/", {"rule": "S1", "lifted": "on"})
    assert b"not built yet" in answer.content and not lifted(rule="S1")


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
    assert token.seller is None and access.hash_of(shown) == token.hash
    assert shown not in staff.get(f"/admin/store/apitoken/{token.pk}/change/").content.decode()
