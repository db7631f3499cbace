"""Roles of staff: what each may on every page and in every deed, how one is given and taken, and what ends with it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import URLPattern
from tests.web.test_walls import STAFF, House, house

from crossdock.cli.main import main
from crossdock.domain.credit import CreditState
from crossdock.domain.roles import GIVEN, WORDS, Right, Role, roles_with
from crossdock.domain.values import Money
from crossdock.store.models import ApiToken, AuditEntry, Command, Order, User
from crossdock.store.models.risk import RiskChoice
from crossdock.usecases.accounts import tokens
from crossdock.usecases.accounts.staffing import no_admin, set_roles
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money import credits
from crossdock.usecases.orders.actions import resend_command
from crossdock.usecases.record.policy import switch
from crossdock.usecases.record.rights import holds, may, rights_of, roles_of, who_hold, who_may
from crossdock.usecases.risk import holds as risk_holds
from crossdock.usecases.shops import pausing
from crossdock.usecases.support import cases, quarantine_board
from crossdock.usecases.support.impersonation import begin_acting
from crossdock.web.staff.panel import NAVIGATION
from crossdock.web.staff.urls import urlpatterns
from market import World, user

__all__ = ["house"]
pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def of(*roles: Role) -> User:
    return user(is_staff=True, roles=" ".join(roles))


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


class TestTheTable:
    def test_every_right_is_somebodys_and_admin_has_all(self) -> None:
        assert GIVEN[Role.ADMIN] == set(Right) == set(WORDS)
        assert set(GIVEN) == set(Role)
        assert all(Right.LOOK in given for given in GIVEN.values())
        assert len({frozenset(given) for given in GIVEN.values()}) == len(Role)

    def test_only_finance_gives_more_than_one_person_may(self) -> None:
        assert roles_with(Right.DECIDE) == (Role.FINANCE, Role.ADMIN)
        assert roles_with(Right.ACT) == (Role.SUPPORT, Role.ADMIN)

    def test_several_roles_add_up_and_an_unknown_word_gives_nothing(self) -> None:
        both = of(Role.RISK, Role.FINANCE)
        assert rights_of(both) == GIVEN[Role.RISK] | GIVEN[Role.FINANCE]
        assert roles_of(user(is_staff=True, roles="chief finance")) == (Role.FINANCE,)
        assert rights_of(user(roles="admin")) == frozenset(), "roles without being staff are none"
        assert rights_of(User(is_staff=True, roles="")) == frozenset() == rights_of(None)
        assert holds(both, Right.RULES, Right.RISK) and not holds(both, Right.RULES)
        assert not holds(both), "none named is none"

    def test_who_is_told(self) -> None:
        one, two, gone = of(Role.SUPPORT), of(Role.FINANCE, Role.RISK), of(Role.SUPPORT)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        of(Role.OPERATIONS)
        assert list(who_hold(Right.CASES)) == [one, two]

    def test_the_sentence(self) -> None:
        assert who_may(Right.RULES, of(Role.RISK)) == (
            "Only admin may see the marketplace's rules and switch them. Your role is risk."
        )


# What a role's own pages note of being read.
READ = ("exported", "document seen")


class TestPages:
    def test_each_names_a_right(self) -> None:
        for entry in urlpatterns:
            assert isinstance(entry, URLPattern)
            assert getattr(entry.callback, "right", None) in Right, entry.name

    @pytest.mark.parametrize("role", list(Role))
    def test_a_role_opens_its_own_and_reads_who_may_on_the_others(self, house: House, role: Role) -> None:
        right_of = {entry.name: entry.callback.right for entry in urlpatterns if isinstance(entry, URLPattern)}  # type: ignore[attr-defined]
        person = of(role)
        client = client_of(person)
        before = AuditEntry.objects.exclude(action__in=READ).count()
        for name, (path, method, _) in STAFF.items():
            if right_of[name] in GIVEN[role]:
                if method == "get":
                    assert client.get(path.format(**house.urls)).status_code == 200, name
                continue
            answer = getattr(client, method)(path.format(**house.urls))
            assert answer.status_code == 403, name
            words = unescape(answer.content.decode())
            assert "Not your role" in words and who_may(right_of[name], person) in words, name
            assert client.post(path.format(**house.urls)).status_code in (403, 405), name
        assert AuditEntry.objects.exclude(action__in=READ).count() == before
        page = client.get("/staff/").content.decode()
        for entry in NAVIGATION:
            assert (f'href="{entry.url}"' in page) is (entry.right in GIVEN[role]), entry.here
        assert ("/admin/" in page) is (role == Role.ADMIN)

    def test_the_table_stands_on_a_page(self) -> None:
        someone = of(Role.SUPPORT, Role.RISK)
        page = unescape(client_of(of(Role.OPERATIONS)).get("/staff/roles/").content.decode())
        assert someone.email in page and "support, risk" in page
        for words in WORDS.values():
            assert words[1:] in page

    def test_buttons_that_one_may_not_press_are_not_there(self, house: House) -> None:
        order, shop = f"/staff/orders/{house.urls['order']}/", f"/staff/shops/{house.urls['shop']}/"
        Command.objects.update(state="dead")
        for role, credit, again, pause in (
            (Role.SUPPORT, True, False, False),
            (Role.RISK, False, False, None),
            (Role.OPERATIONS, False, True, True),
            (Role.ADMIN, True, True, True),
        ):
            client = client_of(of(role))
            page = client.get(order).content.decode()
            assert ("Credit the buyer…" in page, "Send again" in page) == (credit, again), role
            if pause is not None:
                assert ("Pause this shop" in client.get(shop).content.decode()) is pause, role

    def test_acting_ends_with_the_role(self, house: House) -> None:
        person = of(Role.SUPPORT)
        client = client_of(person)
        client.post(f"/staff/sellers/{house.urls['seller']}/act/", {"why": "case"})
        assert client.get("/seller/").status_code == 200
        User.objects.filter(pk=person.pk).update(roles="risk")
        assert client.get("/seller/").status_code == 403, "even in a session that goes on"


def _order(world: World) -> Order:
    world.variant.price_minor = 100_000
    world.variant.save()
    return world.buy()


class TestDeeds:
    """The use-cases ask too: a page that forgot, or the API, changes nothing."""

    def test_each_needs_its_right(self) -> None:
        world = World(units=9, now=NOW)
        order = _order(world)
        command = Command.objects.get(cause=f"create:{order.reference}")
        Command.objects.filter(pk=command.pk).update(state="dead")
        owner = world.seller.owner
        case = cases.open_case(
            seller=world.seller, opened_by=owner, kind="problem", subject="?", body="?", order=order, now=NOW
        )
        deeds: dict[Right, Callable[[User], object]] = {
            Right.CREDIT: lambda who: credits.staff_credit(
                order=order, amount=Money(100, "USD"), reason="?", actor=who, key=str(who.pk), now=NOW
            ),
            Right.WORK: lambda who: pausing.pause(connection=world.shop, actor=who, now=NOW, why="?"),
            Right.CASES: lambda who: cases.close(case=case, actor=who, now=NOW),
            Right.ACT: lambda who: begin_acting(actor=who, seller=world.seller, why="?", now=NOW),
            Right.RULES: lambda who: switch(rule="S3", lift=True, actor=who, now=NOW, why="?"),
            Right.TOKENS: lambda who: tokens.make_token(name="t", seller=None, actor=who, now=NOW),
            Right.RISK: lambda who: risk_holds.choose(to=RiskChoice.HOLD, actor=who, now=NOW),
        }
        for right, deed in deeds.items():
            for role in Role:
                person = of(role)
                if right in GIVEN[role]:
                    deed(person)
                else:
                    with pytest.raises(NotAllowed, match=f"Only .*{role}\\.$"):
                        deed(person)
        for role in (Role.FINANCE, Role.RISK):
            with pytest.raises(NotAllowed, match="send commands again"):
                resend_command(command=command, actor=of(role), now=NOW)
        with pytest.raises(NotAllowed, match="not yours"):
            resend_command(command=command, actor=user(), now=NOW)
        command.refresh_from_db()
        assert command.state == "dead"
        resend_command(command=command, actor=of(Role.SUPPORT), now=NOW)

    def test_support_begins_a_large_credit_and_finance_is_the_second_person(self) -> None:
        order, one, two = _order(World(units=9, now=NOW)), of(Role.SUPPORT), of(Role.FINANCE)
        large = credits.staff_credit(order=order, amount=Money(30_000, "USD"), reason="?", actor=one, key="k", now=NOW)
        assert large.state == CreditState.SECOND
        for who in (one, of(Role.SUPPORT)):
            with pytest.raises(NotAllowed, match="finance and admin"):
                credits.decide_credit(credit=large, grant_it=True, actor=who, remark="yes", now=NOW)
        order.refresh_from_db()
        assert order.credited_minor == 0
        credits.decide_credit(credit=large, grant_it=True, actor=two, remark="yes", now=NOW)
        order.refresh_from_db()
        assert order.credited_minor == 30_000

    def test_a_seller_who_is_staff_keeps_their_own_shop(self) -> None:
        world = World()
        User.objects.filter(pk=world.seller.owner_id).update(is_staff=True, roles="risk")
        world.seller.owner.refresh_from_db()
        assert may(world.seller.owner, world.seller)
        assert not may(of(Role.RISK), world.seller)
        assert may(of(Role.SUPPORT), world.seller)


class TestGivenAndTaken:
    def test_the_first_is_admin_and_later_ones_name_a_role(self) -> None:
        ana, bob = user("ana@example.test"), user("bob@example.test")
        assert set_roles(email=" ANA@example.test", now=NOW) == (Role.ADMIN,)
        with pytest.raises(Invalid, match="Name a role"):
            set_roles(email="bob@example.test", now=NOW)
        with pytest.raises(Invalid, match="no role boss"):
            set_roles(email="bob@example.test", give=["boss"], now=NOW)
        with pytest.raises(Invalid, match="Nobody signs in"):
            set_roles(email="nobody@example.test", give=["risk"], now=NOW)
        assert set_roles(email="bob@example.test", give=["risk", "support"], now=NOW) == (Role.SUPPORT, Role.RISK)
        assert set_roles(email="bob@example.test", give=["risk"], now=NOW) == (Role.SUPPORT, Role.RISK)
        ana.refresh_from_db()
        bob.refresh_from_db()
        assert (ana.is_staff, ana.roles, ana.is_superuser) == (True, "admin", False)
        assert (bob.is_staff, bob.roles) == (True, "support risk")
        assert set_roles(email="bob@example.test", take=list(Role), now=NOW) == ()
        bob.refresh_from_db()
        assert (bob.is_staff, bob.roles) == (False, "")
        assert list(
            AuditEntry.objects.exclude(action="ended all sessions")
            .order_by("pk")
            .values_list("action", "person__email")
        ) == [
            ("made staff", "ana@example.test"),
            ("made staff", "bob@example.test"),
            ("no staff any more", "bob@example.test"),
        ]

    def test_what_was_open_ends_with_the_role(self) -> None:
        person = of(Role.ADMIN, Role.SUPPORT)
        client = client_of(person)
        _, secret = tokens.make_token(name="ours", seller=None, actor=person, now=NOW)
        assert tokens.token_of(secret=secret, now=NOW) is not None
        set_roles(email=person.email, take=["admin"], now=NOW)
        answer = client.get("/staff/")
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/accounts/login/")
        assert ApiToken.objects.get().revoked_at == NOW
        set_roles(email=person.email, give=["admin"], now=NOW + timedelta(seconds=1))
        assert tokens.token_of(secret=secret, now=NOW) is None, "giving it back opens nothing again"

    def test_giving_one_more_ends_nothing(self) -> None:
        person = of(Role.SUPPORT)
        client = client_of(person)
        set_roles(email=person.email, give=["risk"], now=NOW)
        assert client.get("/staff/risk/").status_code == 200

    def test_a_superuser_loses_that_too(self) -> None:
        person = user(is_staff=True, is_superuser=True)
        set_roles(email=person.email, give=["risk"], take=["admin"], now=NOW)
        person.refresh_from_db()
        assert (person.is_superuser, person.roles) == (False, "risk")
        assert no_admin()

    def test_the_command(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crossdock.cli.database.ready", lambda: None)
        user("ana@example.test")
        user("bob@example.test")
        assert main(["staff"]) == 0
        assert main(["staff", "ana@example.test"]) == 0
        assert main(["staff", "bob@example.test", "--role", "risk", "--role", "finance"]) == 0
        assert main(["staff"]) == 0
        assert main(["staff", "ana@example.test", "--off"]) == 0
        assert main(["staff", "bob@example.test"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "Nobody is staff yet. `crossdock staff EMAIL` makes the first one, as admin.",
            "ana@example.test is staff as admin; their pages are at /staff/.",
            "bob@example.test is staff as risk, finance; their pages are at /staff/.",
            "ana@example.test  admin",
            "bob@example.test  risk, finance",
            "ana@example.test is staff no more.",
            "Nobody is admin now. `crossdock staff EMAIL --role admin` makes one.",
            "bob@example.test is staff as risk, finance; their pages are at /staff/.",
            "Nobody is admin now. `crossdock staff EMAIL --role admin` makes one.",
        ]


@pytest.mark.django_db
@pytest.mark.parametrize("deed", [quarantine_board.release, quarantine_board.dismiss])
def test_what_is_set_aside_is_decided_by_who_may(deed: Callable[..., int]) -> None:
    with pytest.raises(NotAllowed, match="Only operations and admin"):
        deed(causes=["x"], actor=of(Role.FINANCE), now=NOW)
    assert deed(causes=["x"], actor=of(Role.OPERATIONS), now=NOW) == 0
