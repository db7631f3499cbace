"""Mails to buyers are in the language that the order was placed in, or that the account speaks."""

import re
from string import Formatter

import pytest
from tests.usecases.test_rules import landed

from crossdock.domain.commands import CancelReason
from crossdock.domain.mails import orders, requests
from crossdock.domain.mails.letter import MailKind
from crossdock.domain.mails.words import Exact, Joined, Words, lines, said
from crossdock.domain.values import Money
from crossdock.store.models import Mail, Order, User
from crossdock.usecases.accounts.language import speaks
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.record.letters import in_language, language_of
from crossdock.usecases.requests.cancel import ask_to_cancel, decline
from crossdock.usecases.requests.withdraw import send_link, withdraw
from market import World, user

pytestmark = pytest.mark.django_db

KINDS = [one for module in (orders, requests) for one in vars(module).values() if isinstance(one, MailKind)]


def to_germany(order: Order) -> Order:
    Order.objects.filter(pk=order.pk).update(ship_to={**order.ship_to, "country": "DE", "region": ""})
    return Order.objects.get(pk=order.pk)


def mail(cause: str) -> Mail:
    return Mail.objects.get(cause__startswith=cause)


def subjects(order: Order) -> list[str]:
    return [one.subject.replace(str(order), "#") for one in Mail.objects.filter(to=order.buyer.email).order_by("pk")]


def test_every_kind_has_a_name_of_its_own_and_the_same_places_in_each_language() -> None:
    assert len(KINDS) > 20 and len({kind.name for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        for text in (kind.subject, kind.body):
            places = {name: f"<{name}>" for _, name, _, _ in Formatter().parse(text.text) if name}
            for language in ("en", "de", "fr", "es"):
                shown = in_language(text.of(**places), language)
                assert sorted(re.findall(r"<\w+>", shown)) == sorted(
                    f"<{name}>" for _, name, _, _ in Formatter().parse(text.text) if name
                )


class TestFacts:
    def test_each_is_written_as_its_language_writes_it(self) -> None:
        world = World()
        words = said("Tracking: {number}", number=lines(Money(123456, "EUR"), Exact(world.now), world.now.date(), ""))
        shown = {language: in_language(words, language).replace("\xa0", " ") for language in ("en", "de", "fr", "es")}
        assert shown == {
            "en": "Tracking: €1,234.56\n23 November 2026, 12:00:00 UTC\n23 November 2026",
            "de": "Sendungsverfolgung: 1.234,56 €\n23. November 2026, 12:00:00 UTC\n23. November 2026",
            "fr": "Suivi : 1\u202f234,56 €\n23 novembre 2026, 12:00:00 UTC\n23 novembre 2026",
            "es": "Seguimiento: 1.234,56 €\n23 de noviembre de 2026, 12:00:00 UTC\n23 de noviembre de 2026",
        }

    def test_what_somebody_typed_is_never_read_as_a_place(self) -> None:
        words = orders.WHAT_AND_WHY.of(what="{why}", why="{nothing} %(x)s")
        assert str(words) == "{why}: {nothing} %(x)s" == in_language(words, "de")

    def test_a_place_without_a_fact_is_a_fault_and_not_a_gap(self) -> None:
        with pytest.raises(KeyError):
            str(Words("{gone}", {}))
        assert str(Joined(("", said("Tracking: {number}", number="1"), ""))) == "Tracking: 1"


WHOLE = {
    "": "Your order #\nThank you. {seller} has your order:\n\n1 × Ember Fox\n\nTotal {total}. We write again when it is"
    " shipped.",
    "de": "Ihre Bestellung #\nVielen Dank. {seller} hat Ihre Bestellung:\n\n1 × Ember Fox\n\nGesamtbetrag {total}. Wir"
    " schreiben Ihnen wieder, sobald sie versendet ist.",
    "fr": "Votre commande #\nMerci. {seller} a reçu votre commande\u00a0:\n\n1 × Ember Fox\n\nTotal {total}. Nous vous"
    " écrivons à nouveau lors de l’expédition.",
    "es": "Su pedido #\nGracias. {seller} tiene su pedido:\n\n1 × Ember Fox\n\nTotal {total}. Le escribimos de nuevo"
    " cuando se envíe.",
}


@pytest.mark.parametrize("language", WHOLE)
def test_a_mail_read_whole(language: str) -> None:
    order = World(language=language).buy()
    assert order.language == language
    sent = mail("thank_you:")
    read = f"{sent.subject}\n{sent.body}".replace(str(order), "#")
    wanted = WHOLE[language].format(seller=order.seller.name, total=in_language(order.total, language or "en"))
    assert read.startswith(f"{wanted}\n\nhttp")
    told = mail("new_order:")
    assert told.subject == f"New order {order}" and "Ship by" in told.body


def test_later_mails_keep_the_language_whatever_the_account_chooses_afterwards() -> None:
    world = World(units=4, language="fr")
    order = landed(world, quantity=2)
    speaks(person=order.buyer, language="es")
    owner = world.seller.owner
    ship_by_hand(order=order, lines=None, tracking="1Z1", carrier="UPS", actor=owner, now=world.later())
    staff = user("staff", is_staff=True, is_superuser=True)
    why = "Arrived damaged: The {lid} is off."
    staff_credit(order=order, amount=Money(100, "USD"), reason=why, actor=staff, key="one", now=world.later())
    assert subjects(order) == ["Votre commande #", "Votre commande # est en route", "Remboursement de votre commande #"]
    assert "a expédié 2 × Ember Fox.\n\nSuivi\u00a0: UPS 1Z1" in mail("shipped:").body
    assert "sur votre carte. Arrivé endommagé\u00a0: The {lid} is off." in mail("credited:").body


def test_a_cancelled_order_is_written_of_in_its_language() -> None:
    world = World(language="de")
    order = to_germany(world.buy())
    ask_to_cancel(order=order, buyer=order.buyer, reason="", now=world.later())
    asked = mail("cancel_asked_buyer:")
    # The clock of where the parcel goes, not the server's.
    assert re.search(r"antwortet bis \d+\. \w+ 20\d\d, \d\d:\d\d CES?T\. Bis dahin", asked.body)
    decline(order=order, actor=world.seller.owner, answer="Schon gepackt.", seen=1, now=world.later())
    assert "abgelehnt: Schon gepackt." in mail("cancel_declined:").body
    reject_order(
        order=order,
        reason=CancelReason.NOT_AVAILABLE,
        actor=world.seller.owner,
        expected_total=order.total,
        now=world.later(),
    )
    body = mail("rejected:").body.replace("\xa0", " ")
    assert f"{order.seller.name} konnte Ihre Bestellung {order} nicht ausführen. Wir erstatten" in body


def test_who_has_no_account_to_choose_in_reads_the_links_and_the_receipt_in_the_orders_language() -> None:
    world = World(language="es")
    order = to_germany(world.buy())
    send_link(number=str(order), email=order.buyer.email.upper(), now=world.later())
    assert f"Alguien, seguramente usted, pidió un enlace para desistir del pedido {order}" in mail("withdraw_link").body
    assert mail("withdraw_link").order is None
    row = withdraw(order=order, name="Zoë", now=world.later(), language="fr")
    assert row.statement.startswith("Je notifie par la présente, Zoë, ma rétractation du contrat")
    receipt = mail("withdrawn:").body
    assert receipt.startswith("Recibimos esta declaración el ") and f"\n\n«{row.statement}»\n\n" in receipt
    assert "a más tardar 14 días después de esta declaración." in receipt


def test_what_a_program_placed_speaks_as_the_account_does_and_english_where_it_chose_nothing() -> None:
    world = World(units=3)
    order = world.buy()
    assert language_of(order) == "en"
    speaks(person=order.buyer, language="de")
    again = Order.objects.select_related("buyer").get(pk=order.pk)
    assert language_of(again) == "de"
    # A language that was taken away is nobody's.
    Order.objects.filter(pk=order.pk).update(language="xx")
    User.objects.filter(pk=order.buyer_id).update(language="yy")
    assert language_of(Order.objects.get(pk=order.pk)) == "en"


def test_part_of_a_payment_that_came_to_nothing_says_why_in_the_same_language() -> None:
    why = orders.ONLY_LEFT.of(left=1, title="Ember Fox")
    back = orders.GOES_BACK.of(why=why, amount=Money(500, "EUR"))
    assert str(back) == "Only 1 of “Ember Fox” are left. €5.00 of your payment go back to you."
    assert in_language(back, "de").replace("\xa0", " ") == (
        "Von „Ember Fox“ sind nur noch 1 da. 5,00 € Ihrer Zahlung gehen an Sie zurück."
    )
