"""Alerts: every code raised through the real path and settled by its one button; one for one root cause; mailed as the
seller chose, once.
"""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from tests.usecases.test_rules import landed

from alert_plays import PLAYS, Stage, fail
from crossdock.domain.alerts import GROUPS, KINDS, AlertCode, Group, MailChoice
from crossdock.kit import discover
from crossdock.store.models import Alert, AlertMail, Mail, ShopCopy
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.parties import leases, root_causes
from crossdock.usecases.record import alert_mail
from crossdock.usecases.record.alerts import open_alerts, raise_alert, settle_alert, staff_alerts
from crossdock.web.seller.alert_view import view_of
from market import World, user
from market import seller as a_seller
from toy import ToyConnector

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    toy = ToyConnector()
    monkeypatch.setattr(discover, "connectors", lambda: {"toy": toy})
    return Stage(World(units=9, now=datetime.now(UTC)), toy)


def test_no_code_lacks_its_play_its_words_and_its_group() -> None:
    assert set(PLAYS) == {code.value for code in AlertCode} == {code.value for code in KINDS}
    assert {kind.group for kind in KINDS.values()} <= set(GROUPS) == set(Group)


@pytest.mark.parametrize("code", AlertCode)
def test_raised_by_what_happens_and_settled_by_its_button(code: AlertCode, stage: Stage) -> None:
    play = PLAYS[code](stage)
    assert next(play) is code
    alert = stage.alert(code)
    assert alert.sentence.strip() and alert.kind.button_label
    if alert.for_staff:
        assert alert in staff_alerts() and alert not in open_alerts(seller=alert.seller)
        assert stage.client.get(f"/seller/alerts/{alert.public_id}/").status_code == 404
    else:
        _press(stage, alert)
    for _ in play:
        pytest.fail("a play has one alert")
    alert.refresh_from_db()
    assert alert.settled_at is not None, "its button, or the deed of the page that it leads to, settles it"
    assert alert.settled_how
    assert not Alert.objects.filter(code=code, settled_at=None).exists(), "and it stays settled"


def _press(stage: Stage, alert: Alert) -> None:
    """The button as the alerts' page shows it; another page must offer a deed."""
    page = unescape(stage.client.get("/seller/alerts/").content.decode())
    view = view_of(Alert.objects.select_related("order", "connection", "listing").get(pk=alert.pk))
    assert alert.kind.button_label in page and view.url in page
    assert alert.sentence in page
    if view.post:
        assert stage.client.post(view.url, {"how": view.how} if view.how else {}, follow=True).status_code == 200
        return
    there = stage.client.get(view.url, follow=True)
    assert there.status_code == 200, view.url
    words = unescape(there.content.decode())
    assert "<form" in words.partition("<main")[2], "the page that it leads to has a deed"
    if alert.order and view.url == f"/seller/orders/{alert.order.public_id}/":
        assert alert.kind.seen.rstrip(".") in words


class TestRootCauses:
    def late(self, stage: Stage, orders: int) -> None:
        world = stage.world
        for _ in range(orders):
            world.buy()
        world.later(16 * 60)

    # Two hundred orders are placed one by one: a while on a busy machine.
    @pytest.mark.timeout(900)
    def test_forty_orders_behind_one_dead_key_are_one_alert(self, stage: Stage) -> None:
        world = stage.world
        world.units = 500
        world.read()
        self.late(stage, 40)
        leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
        for _ in range(3):
            root_causes.late_copies(now=world.later(60))
        (alert,) = Alert.objects.all()
        assert alert.code == AlertCode.SIGN_IN_AGAIN and alert.evidence == {"orders_waiting": 40}
        assert "40 orders wait" in alert.sentence and alert.times == 1
        assert Mail.objects.filter(cause__startswith="alert:").count() == 1
        # Half of them land after the reconnect; the others are told once they had their time again.
        world.shop.state, world.shop.state_sentence = "active", ""
        world.shop.save()
        settle_alert(alert=alert, actor=world.seller.owner, how="Reconnected.", now=world.later())
        copies = list(ShopCopy.objects.order_by("pk").values_list("pk", flat=True))
        ShopCopy.objects.filter(pk__in=copies[:20]).update(state="equal")
        root_causes.late_copies(now=world.later(60))
        assert not Alert.objects.filter(settled_at=None).exists(), "what waited is sent first"
        root_causes.late_copies(now=world.later(16 * 60))
        persisting = Alert.objects.filter(settled_at=None, code=AlertCode.ORDER_NOT_LANDED)
        assert persisting.count() == 20
        assert set(persisting.values_list("order__copy__pk", flat=True)) == set(copies[20:])

    def test_the_number_of_waiting_orders_follows_and_nobody_is_told_again(self, stage: Stage) -> None:
        world = stage.world
        world.buy()
        leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
        assert "1 order waits" in stage.alert(AlertCode.SIGN_IN_AGAIN).sentence
        ShopCopy.objects.update(state="cancelled")
        root_causes.late_copies(now=world.later(60))
        alert = stage.alert(AlertCode.SIGN_IN_AGAIN)
        assert "No orders wait" in alert.sentence and alert.times == 1
        assert Mail.objects.filter(cause__startswith="alert:").count() == 1

    def test_settled_too_early_it_comes_back_as_one(self, stage: Stage) -> None:
        world = stage.world
        self.late(stage, 3)
        leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
        settle_alert(
            alert=stage.alert(AlertCode.SIGN_IN_AGAIN), actor=world.seller.owner, how="Done?", now=world.later()
        )
        root_causes.late_copies(now=world.later(60))
        assert stage.alert(AlertCode.SIGN_IN_AGAIN).evidence == {"orders_waiting": 3}
        assert not Alert.objects.filter(code=AlertCode.ORDER_NOT_LANDED).exists()

    def test_an_unreachable_shop_is_one_alert_that_goes_when_it_answers(self, stage: Stage) -> None:
        world = stage.world
        self.late(stage, 5)
        fail(world)
        world.later(11 * 60)
        fail(world)
        root_causes.late_copies(now=world.later(60))
        (alert,) = Alert.objects.all()
        assert alert.code == AlertCode.SHOP_UNREACHABLE and alert.evidence == {"orders_waiting": 5}
        leases.party_well(party_id=world.shop.party_id, now=world.later())
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_nothing_is_given_up_while_the_shop_itself_is_told(self, stage: Stage) -> None:
        from crossdock.domain.commands import Later
        from crossdock.store.models import Command

        world = stage.world
        world.buy()
        (claimed,) = world.claim()
        fail(world)
        world.later(3 * 86_400)
        fail(world)
        world.settle(claimed, Later("Nobody answers."))
        assert Command.objects.get(pk=claimed.id).state == "waiting"
        assert [alert.code for alert in Alert.objects.all()] == [AlertCode.SHOP_UNREACHABLE]
        leases.party_well(party_id=world.shop.party_id, now=world.later())
        (claimed,) = world.claim("w2")
        world.settle(claimed, Later("It still does not work."))
        assert Command.objects.get(pk=claimed.id).state == "dead"
        assert stage.alert(AlertCode.COMMAND_DEAD)

    def test_a_paused_shop_is_one_alert(self, stage: Stage) -> None:
        from crossdock.usecases.shops.pausing import pause, resume

        world = stage.world
        self.late(stage, 4)
        pause(connection=world.shop, actor=world.seller.owner, now=world.later())
        for _ in range(2):
            root_causes.late_copies(now=world.later(60))
        (alert,) = Alert.objects.all()
        assert alert.order is None and alert.sentence.startswith("4 orders are not in")
        resume(connection=world.shop, actor=world.seller.owner, now=world.later())
        ShopCopy.objects.update(state="equal")
        root_causes.late_copies(now=world.later(60))
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_the_order_s_page_shows_what_keeps_it_from_its_shop(self, stage: Stage) -> None:
        world = stage.world
        order = world.buy()
        leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
        page = stage.client.get(f"/seller/orders/{order.public_id}/").content.decode()
        assert "asks you to sign in again" in page


class TestMail:
    def choose(self, world: World, **choices: str) -> None:
        alert_mail.choose_mails(seller=world.seller, choices=choices, actor=world.seller.owner, now=world.now)

    def alert(self, world: World, code: AlertCode = AlertCode.SIGN_IN_AGAIN, **more: Any) -> Alert:
        given = {"sentence": "The key is dead.", "connection": world.shop, **more}
        return raise_alert(code=code, seller=world.seller, now=world.later(), **given)

    def mails(self) -> list[Mail]:
        return list(Mail.objects.filter(cause__regex="^(alert|digest):").order_by("pk"))

    def test_at_once_names_the_button_and_where_it_is(self) -> None:
        world = World()
        alert = self.alert(world)
        self.alert(world)
        (mail,) = self.mails()
        assert "“Reconnect”" in mail.body and f"/seller/alerts/{alert.public_id}/" in mail.body
        assert "/seller/alerts/mail/" in mail.body and mail.to == world.seller.owner.email

    def test_no_secret_and_no_buyer_gets_into_a_mail(self) -> None:
        world = World()
        self.alert(
            world,
            sentence="It said: token=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 for zoe@example.test at 221 Baker Street.",
        )
        self.choose(world, operational="hourly")
        self.alert(world, AlertCode.SHOP_UNREACHABLE, sentence="Ask zoe@example.test, password=hunter2222.")
        alert_mail.send_digests(now=world.later())
        text = " ".join(mail.subject + mail.body for mail in self.mails())
        assert len(self.mails()) == 2
        for leak in ("shpat_", "zoe@", "Baker", "hunter"):
            assert leak not in text

    def test_hourly_is_one_grouped_mail_an_hour(self) -> None:
        world = World()
        world.now = world.now.replace(minute=3)
        self.choose(world, operational="hourly", stock="hourly")
        self.alert(world)
        self.alert(world, AlertCode.PRODUCT_DELETED, sentence="A product went.")
        gone = self.alert(world, AlertCode.WEBHOOK_LOST, sentence="It was told no more.")
        settle_alert(alert=gone, actor=None, how="Back.", now=world.later())
        assert self.mails() == []
        assert alert_mail.send_digests(now=world.later()) == 1
        (mail,) = self.mails()
        assert "The key is dead." in mail.body and "A product went." in mail.body
        assert "told no more" not in mail.body and "1 more settled themselves" in mail.body
        assert mail.body.index("A CONNECTION NEEDS YOU") < mail.body.index("STOCK AND PRODUCTS")
        # The same hour again: what came since waits for the next.
        self.alert(world, AlertCode.SHOP_UNREACHABLE, sentence="Nobody answers.")
        assert alert_mail.send_digests(now=world.later()) == 0
        assert alert_mail.send_digests(now=world.later(3600)) == 1
        assert alert_mail.send_digests(now=world.later(3600)) == 0
        assert [("Nobody answers." in mail.body) for mail in self.mails()] == [False, True]

    def test_a_crash_between_mail_and_mark_loses_and_doubles_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        self.choose(world, operational="hourly")
        self.alert(world)
        good = alert_mail.write_mail

        def dies(**given: Any) -> None:
            good(**given)
            raise RuntimeError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(alert_mail, "write_mail", dies)
            with pytest.raises(RuntimeError):
                alert_mail.send_digests(now=world.later())
        assert self.mails() == [] and Alert.objects.get().digest == "waiting"
        assert alert_mail.send_digests(now=world.later()) == 1
        assert len(self.mails()) == 1

    def test_never_is_never_also_for_what_waits_already(self) -> None:
        world = World()
        self.choose(world, operational="hourly")
        self.alert(world)
        self.choose(world, operational="never")
        self.alert(world, AlertCode.SHOP_UNREACHABLE, sentence="Nobody answers.")
        assert alert_mail.send_digests(now=world.later()) == 0 and self.mails() == []
        assert open_alerts(seller=world.seller).count() == 2, "the panel shows them all the same"

    def test_the_page_keeps_each_choice_and_goes_back_by_one_button(self, stage: Stage) -> None:
        page = "/seller/alerts/mail/"
        form = dict.fromkeys(GROUPS, "never")
        assert stage.client.post(page, form).status_code == 302
        assert set(alert_mail.choices_of(seller=stage.world.seller).values()) == {MailChoice.NEVER}
        assert "Back to the sensible choice" in stage.client.get(page).content.decode()
        stage.client.post(page, {"deed": "sensible"})
        assert not AlertMail.objects.exists()
        assert alert_mail.choices_of(seller=stage.world.seller)[Group.OPERATIONAL] is MailChoice.AT_ONCE
        assert stage.client.post(page, {**form, "money": "sometimes"}).status_code == 200
        assert not AlertMail.objects.exists(), "nothing is kept of a choice that makes no sense"

    def test_only_the_owner_or_staff_choose(self) -> None:
        world = World()
        with pytest.raises(NotAllowed):
            alert_mail.choose_mails(seller=world.seller, choices={}, actor=user(), now=world.now)
        with pytest.raises(Invalid):
            self.choose(world, operational="sometimes")


class TestPages:
    def raised(self, world: World, many: int, **more: Any) -> list[Alert]:
        return [
            raise_alert(
                code=AlertCode.STOCK_DIFFERS,
                seller=world.seller,
                key=f"k{n}",
                sentence=f"Count {n}.",
                now=world.later(),
                **more,
            )
            for n in range(many)
        ]

    def test_pages_filters_and_empty_states(self, stage: Stage) -> None:
        client, world = stage.client, stage.world
        assert "Nothing needs you" in client.get("/seller/alerts/").content.decode()
        self.raised(world, 30)
        raise_alert(
            code=AlertCode.SIGN_IN_AGAIN,
            seller=world.seller,
            connection=world.shop,
            sentence="Dead key.",
            now=world.later(),
        )
        first = client.get("/seller/alerts/")
        assert len(first.context["alerts"]) == 25
        second = client.get(f"/seller/alerts/?after={first.context['next_after']}")
        assert len(second.context["alerts"]) == 6
        assert len(client.get("/seller/alerts/?code=sign_in_again").context["alerts"]) == 1
        assert len(client.get(f"/seller/alerts/?shop={world.shop.public_id}").context["alerts"]) == 1
        assert "Nothing of this kind" in client.get("/seller/alerts/?code=disputed").content.decode()
        assert "Nothing settled yet" in client.get("/seller/alerts/?show=settled").content.decode()
        badge = '<span class="count bad">31<span class="hidden"> open</span></span>'
        assert badge in first.content.decode()

    def test_settled_with_a_note_it_says_by_whom_and_how(self, stage: Stage) -> None:
        client = stage.client
        (alert,) = self.raised(stage.world, 1)
        own = f"/seller/alerts/{alert.public_id}/"
        for how in ("I counted: Ünïts ok", "Twice"):
            assert client.post(f"{own}settle/", {"how": how, "back": own})["Location"] == own
        page = client.get(own).content.decode()
        assert "I counted: Ünïts ok" in page and "Twice" not in page and str(stage.world.seller.owner) in page
        assert "I counted" in client.get("/seller/alerts/?show=settled").content.decode()
        assert client.post(f"{own}settle/", {"how": "x", "back": "https://evil.test/"})["Location"] == "/seller/alerts/"

    def test_what_is_staff_s_is_not_the_seller_s(self, stage: Stage) -> None:
        (alert,) = self.raised(stage.world, 1, for_staff=True)
        assert "Count 0." not in stage.client.get("/seller/alerts/").content.decode()
        assert stage.client.post(f"/seller/alerts/{alert.public_id}/settle/", {"how": "x"}).status_code == 404
        with pytest.raises(NotAllowed):
            settle_alert(alert=alert, actor=stage.world.seller.owner, how="x", now=stage.world.now)
        assert not Mail.objects.filter(cause__startswith="alert:").exists()

    def test_who_may_not_settle_it_does_not(self, stage: Stage) -> None:
        """Whatever page or program asks."""
        (alert,) = self.raised(stage.world, 1)
        reader = user(works_for=stage.world.seller, works_as="reader")
        for who in (user(), a_seller().owner, reader, user(is_staff=True, roles="risk")):
            with pytest.raises(NotAllowed):
                settle_alert(alert=alert, actor=who, how="x", now=stage.world.now)
        packer = user(works_for=stage.world.seller, works_as="orders")
        settle_alert(alert=alert, actor=packer, how="Counted.", now=stage.world.now)
        alert.refresh_from_db()
        assert alert.settled_by == packer

    def test_nobody_of_the_team_settles_what_went_wrong_with_a_payout(self, stage: Stage) -> None:
        seller = stage.world.seller
        alert = raise_alert(code=AlertCode.PAYOUT_FAILED, seller=seller, sentence="It came back.", now=stage.world.now)
        packer = user(works_for=seller, works_as="orders listings")
        with pytest.raises(NotAllowed, match="Only the owner"):
            settle_alert(alert=alert, actor=packer, how="Done.", now=stage.world.now)
        settle_alert(alert=alert, actor=seller.owner, how="Another account.", now=stage.world.now)
        alert.refresh_from_db()
        assert alert.settled_by == seller.owner

    def test_another_seller_sees_nothing_of_it(self, stage: Stage) -> None:
        (alert,) = self.raised(stage.world, 1)
        other = Client()
        other.force_login(a_seller().owner)
        assert other.get(f"/seller/alerts/{alert.public_id}/").status_code == 404

    def test_confirming_one_count_leaves_the_others_alone(self, stage: Stage) -> None:
        order = landed(stage.world)
        stage.reject(order, "not_available")
        self.raised(stage.world, 1, listing=stage.world.variant.listing)
        variant = stage.world.variant
        stage.post(f"/seller/listings/{variant.listing.public_id}/count/{variant.public_id}/")
        assert [alert.sentence for alert in open_alerts(seller=stage.world.seller)] == ["Count 0."]


def test_a_deadline_that_is_met_raises_nothing() -> None:
    world = World()
    world.buy()
    root_causes.late_copies(now=world.later(14 * 60))
    assert not Alert.objects.exists()
    root_causes.late_copies(now=world.now + timedelta(minutes=2))
    assert Alert.objects.count() == 1
