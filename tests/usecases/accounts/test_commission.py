"""What the marketplace keeps: set by staff who may, audited, and for orders from then on."""

from datetime import UTC, datetime

import pytest

from crossdock.cli.main import main
from crossdock.domain.roles import Role
from crossdock.domain.values import Money
from crossdock.store.models import AuditEntry, AuditTopic, Order
from crossdock.usecases.accounts.commission import set_commission
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money import books
from crossdock.usecases.money.credit_preview import preview_credit
from crossdock.usecases.money.credits import staff_credit
from market import World, user

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def test_an_order_keeps_the_commission_that_it_was_paid_with() -> None:
    world = World(units=9, now=NOW)
    admin = user(is_staff=True, roles=Role.ADMIN)
    old = world.buy()
    kept, payout = books.fee_of(order=old), books.payout_of(order=old)
    assert kept > 0
    assert set_commission(seller=world.seller, basis_points=2000, actor=admin, now=NOW) == "8 %"
    new = world.buy()
    assert books.fee_of(order=new) == new.total_minor * 2000 // 10_000

    old = Order.objects.get(pk=old.pk)
    shown = preview_credit(order=old, amount=Money(old.total_minor, old.currency), actor=admin, now=NOW)
    assert (shown.fee_back.minor, shown.from_seller.minor) == (kept, payout)
    staff_credit(order=old, amount=Money(old.total_minor, old.currency), reason="Lost", actor=admin, key="k", now=NOW)
    assert (books.fee_of(order=old), books.payout_of(order=old)) == (0, 0), "no more and no less than was taken"

    assert set_commission(seller=world.seller, basis_points=2000, actor=admin, now=NOW) == "20 %"
    row = AuditEntry.objects.get(action="commission")
    assert (row.actor, row.topic, row.detail["was"], row.detail["is"]) == (admin, AuditTopic.SETTINGS, "8 %", "20 %")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_else_sets_it(role: Role) -> None:
    world = World(now=NOW)
    for person in (user(is_staff=True, roles=role), world.seller.owner):
        with pytest.raises(NotAllowed):
            set_commission(seller=world.seller, basis_points=1, actor=person, now=NOW)
    world.seller.refresh_from_db()
    assert world.seller.fee_basis_points == 800 and not AuditEntry.objects.exists()


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock.cli.database.ready", lambda: None)
    world, admin = World(now=NOW), user("admin@example.test", is_staff=True, roles=Role.ADMIN)
    email = world.seller.owner.email
    assert main(["commission", email, "7.25", "--by", admin.email]) == 0
    assert "is 7.25 % for orders from now on; it was 8 %." in capsys.readouterr().out
    for percent in ("7.255", "much", "NaN", "51", "-1"):
        assert main(["commission", "--by", admin.email, "--", email, percent]) == 1, percent
    world.seller.refresh_from_db()
    assert world.seller.fee_basis_points == 725
    with pytest.raises(Invalid):
        set_commission(seller=world.seller, basis_points=5001, actor=admin, now=NOW)
