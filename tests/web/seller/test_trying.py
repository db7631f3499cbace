"""The page of a test order: what can be ordered, one press, and each step as it was."""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.domain.commands import Done
from crossdock.domain.trial_order import Step, StepName, TrialOrder
from crossdock.store.models import Command, VariantStock
from crossdock.usecases.outbox.payloads import TRIAL
from crossdock.usecases.shops.trial_orders import keep
from market import World

pytestmark = pytest.mark.django_db

TO = {"name": "Maren", "line1": "1 Elm Street", "city": "Springfield", "region": "IL", "postal_code": "62701"}


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


@pytest.fixture
def panel(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def page(panel: Client, world: World) -> str:
    answer = panel.get(f"/seller/shops/{world.shop.public_id}/try/")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def press(panel: Client, world: World, **more: str) -> int:
    form = {"product": world.variant.public_id, "country": "US", **TO, **more}
    return panel.post(f"/seller/shops/{world.shop.public_id}/try/", form).status_code


def trial_kept(*steps: Step) -> None:
    row = Command.objects.get(kind="try_order")
    trial: TrialOrder = TRIAL.validate_python(row.payload)
    trial = trial.standing(Done("s7", "#1007", "https://shop.test/7"))
    for step in steps:
        trial = trial.with_step(step)
    keep(command_id=row.pk, trial=trial)


def test_one_press_and_the_page_follows_it(world: World, panel: Client) -> None:
    assert "9 free, $10.00" in page(panel, world)
    assert press(panel, world) == press(panel, world) == 302
    command = Command.objects.get(kind="try_order")
    assert command.payload["create"]["email"].endswith("@orders.invalid")
    assert "Under way" in page(panel, world) and "Make the test order" not in page(panel, world)
    now = datetime.now(UTC)
    trial_kept(Step(StepName.CREATED, True, "It stands there as #1007.", now))
    assert "It stands there as #1007." in page(panel, world)
    trial_kept(Step(StepName.CANCELLED, False, "It was invoiced.", now))
    Command.objects.filter(pk=command.pk).update(state="done", result="refused", sentence="It was invoiced.")
    ended = page(panel, world)
    assert "Something is left to do" in ended and "Cancel order #1007 in your shop" in ended
    assert 'href="https://shop.test/7"' in ended and "Try once more" in ended


def test_what_is_typed_wrong_is_said_and_asks_nothing(world: World, panel: Client) -> None:
    assert press(panel, world, postal_code="x") == 422
    assert press(panel, world, product="nope") == 422
    assert not Command.objects.filter(kind="try_order").exists()


def test_with_nothing_to_test_it_says_why(world: World, panel: Client) -> None:
    VariantStock.objects.update(count=1)
    assert "Nothing of this shop can be tested now" in page(panel, world)
    assert press(panel, world) == 422
    world.shop.state = "paused"
    world.shop.save()
    assert "Your shop is not connected now" in page(panel, world)


def test_as_many_statements_however_many_were_made(world: World, panel: Client) -> None:
    with CaptureQueriesContext(connection) as none:
        page(panel, world)
    for _ in range(4):
        assert press(panel, world) == 302
        Command.objects.filter(kind="try_order").update(state="done")
    with CaptureQueriesContext(connection) as four:
        page(panel, world)
    assert len(four) == len(none)
