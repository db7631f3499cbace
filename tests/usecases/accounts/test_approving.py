"""A new seller prepares everything and sells nothing until staff approved them; nobody else is touched."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet

from crossdock.domain.moderation.approval import Item, Stage
from crossdock.domain.moderation.particulars import Contact, Kind, Particulars
from crossdock.domain.values import Address, Money
from crossdock.store.models import AuditEntry, Mail, PageText, Seller, SellerApproval, SellerDetails, ShippingRate, User
from crossdock.usecases.accounts.approving import (
    accept_terms,
    approvals,
    approve,
    ask,
    lines_of,
    looked,
    send_back,
    to_approve,
    touched,
)
from crossdock.usecases.accounts.details import (
    KeyLost,
    Wrong,
    document_of,
    particulars_of,
    save_contact,
    save_document,
    save_particulars,
)
from crossdock.usecases.accounts.sellers import set_rates, start_selling
from crossdock.usecases.accounts.suspending import resume_seller, suspend_seller
from crossdock.usecases.catalogue.listings import live, make_listing, why_not_live
from crossdock.usecases.catalogue.sellable import why_not_sold
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.labels.purchase import set_ship_from
from crossdock.usecases.privacy.archive import rows_of
from crossdock.usecases.privacy.shop_sections import SOLD
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.support.retention import run
from market import seller as a_seller
from market import user

pytestmark = pytest.mark.django_db
NORA = Particulars(
    Kind.PRIVATE, "Nora Kern", "5 Market St", "Austin", "78701", "US", "US", "536-90-4399", born="1990-05-17"
)
HOME = Address("Ember Cards", "5 Market St", "Austin", "US", "78701", region="TX")


def now() -> datetime:
    return datetime.now(UTC)


def opened(name: str = "Newcomer") -> Seller:
    free = {"US": Money(0, "USD")}
    return start_selling(user=user(), name=name, country="US", currency="USD", handling_days=2, rates=free, now=now())


@pytest.fixture
def seller(settings: Any) -> Seller:
    settings.APPROVE_SELLERS = True
    return opened()


def clerk(roles: str = "risk") -> User:
    return user(is_staff=True, roles=roles)


def bring(seller: Seller) -> None:
    EmailAddress.objects.create(user=seller.owner, email=seller.owner.email, verified=True, primary=True)
    set_ship_from(seller=seller, address=HOME, now=now())
    save_particulars(seller=seller, given=NORA, actor=seller.owner, now=now())
    save_document(seller=seller, jpeg=b"A card.", actor=seller.owner, now=now())


def asked(seller: Seller) -> Seller:
    bring(seller)
    assert ask(seller=seller, actor=seller.owner, now=now())
    return seller


def decide(deed: Any, seller: Seller, words: str = "", actor: User | None = None) -> None:
    seen = SellerApproval.objects.get(seller=seller).facts_at.isoformat()
    deed(seller=seller, seen=seen, words=words, actor=actor or clerk(), now=now())


def card(seller: Seller) -> Any:
    listing = make_listing(seller=seller, title="Card", description="", price=Money(500, "USD"), count=3, now=now())
    return listing.variants.select_related("listing__seller", "listing__connection").get()


def barred(seller: Seller) -> str:
    return Seller.objects.get(pk=seller.pk).barred


def test_nobody_needs_approval_until_the_operator_says_so_and_who_was_here_never_does(
    settings: Any,
) -> None:
    old = opened("Old")
    settings.APPROVE_SELLERS = True
    assert barred(old) == "" and not SellerApproval.objects.exists()
    with pytest.raises(NotAllowed, match="needs no approval"):
        ask(seller=old, actor=old.owner, now=now())
    new = opened("New")
    assert (barred(old), barred(new)) == ("", "approval")
    settings.APPROVE_SELLERS = False
    asked(new)
    decide(approve, new)
    assert barred(new) == "", "who waits when it is switched off is still decided about"


def test_they_prepare_everything_and_sell_once_they_are_approved(seller: Seller) -> None:
    variant = card(seller)
    assert not live().exists() and why_not_sold(variant).startswith("This seller does not sell here yet")
    assert "Before you sell" in why_not_live(listing=variant.listing, now=now())[0]
    with pytest.raises(
        Invalid, match="Still missing: Confirmed e-mail address; Who you are; Where you ship from; Tax details"
    ):
        ask(seller=seller, actor=seller.owner, now=now())
    asked(seller)
    assert not ask(seller=seller, actor=seller.owner, now=now()), "a second click asks nothing"
    assert to_approve() == 1 and not live().exists()
    decide(approve, seller)
    assert live().count() == 1 and to_approve() == 0
    (mail,) = Mail.objects.filter(to=seller.owner.email, subject="You can sell now")
    assert "The marketplace has approved you." in mail.body
    assert AuditEntry.objects.filter(action="seller approved").count() == 1
    with pytest.raises(Stale):
        decide(approve, seller)


def test_what_is_sent_back_is_said_and_asked_for_again(seller: Seller) -> None:
    asked(seller)
    with pytest.raises(Invalid, match="Say what is missing"):
        decide(send_back, seller, "  ")
    decide(send_back, seller, "Your street has no number.")
    assert "Your street has no number." in Mail.objects.get(subject="Your approval needs something of you").body
    assert barred(seller) == "approval"
    assert ask(seller=seller, actor=seller.owner, now=now())
    decide(approve, seller, "Thank you.")
    deeds = ["asked", "sent_back", "asked", "approved"]
    approval = SellerApproval.objects.get(seller=seller)
    assert list(approval.steps.order_by("pk").values_list("deed", flat=True)) == deeds


def test_staff_decide_about_what_they_saw(seller: Seller) -> None:
    asked(seller)
    seen = SellerApproval.objects.get(seller=seller).facts_at.isoformat()
    set_ship_from(seller=seller, address=Address("X", "6 Elm St", "Austin", "US", "78701", region="TX"), now=now())
    with pytest.raises(Stale, match="changed something since"):
        approve(seller=seller, seen=seen, words="", actor=clerk(), now=now())
    EmailAddress.objects.all().delete()
    with pytest.raises(Invalid, match="not complete any more"):
        decide(approve, seller)
    assert barred(seller) == "approval"


def test_who_may_decide(seller: Seller) -> None:
    asked(seller)
    for who in (clerk("support"), clerk("finance"), clerk("operations"), user(), seller.owner):
        for deed in (approve, send_back):
            with pytest.raises(NotAllowed):
                decide(deed, seller, "No.", who)
        with pytest.raises(NotAllowed):
            looked(seller=seller, seen="", actor=who, now=now())
    User.objects.filter(pk=seller.owner_id).update(is_staff=True, roles="admin")
    own = User.objects.get(pk=seller.owner_id)
    with pytest.raises(NotAllowed, match="your own"):
        decide(approve, seller, "", own)
    with pytest.raises(NotAllowed, match="owner"):
        ask(seller=seller, actor=clerk(), now=now())
    with pytest.raises(NotAllowed, match="owner"):
        accept_terms(seller=seller, version=1, actor=clerk(), now=now())
    assert SellerApproval.objects.get().stage == Stage.ASKED


def test_terms_are_accepted_in_the_version_that_was_read(seller: Seller) -> None:
    def line() -> tuple[str, str]:
        found = lines_of(SellerApproval.objects.select_related("seller__owner").get(seller=seller))[-1]
        return found.mark.value, found.words

    assert line()[0] == "not_needed"
    PageText.objects.create(page="terms", number=1, text="Be kind.", made_at=now())
    assert line() == ("missing", "Read them, and accept them.")
    accept_terms(seller=seller, version=1, actor=seller.owner, now=now())
    assert line()[0] == "done"
    PageText.objects.create(page="terms", number=2, text="Be kinder.", made_at=now())
    assert line()[0] == "missing" and "changed since" in line()[1]
    with pytest.raises(Stale, match="newer version"):
        accept_terms(seller=seller, version=1, actor=seller.owner, now=now())


def test_what_changes_afterwards_is_shown_to_staff_and_they_sell_on(seller: Seller) -> None:
    asked(seller)
    decide(approve, seller)
    set_ship_from(seller=seller, address=HOME, now=now())
    assert not approvals("changed").exists(), "the same address again is no change"
    set_ship_from(seller=seller, address=Address("X", "6 Elm St", "Austin", "US", "78701", region="TX"), now=now())
    row = approvals("changed").get()
    assert (row.changed, barred(seller), to_approve()) == (["ships_from"], "", 1)
    assert looked(seller=seller, seen=row.facts_at.isoformat(), actor=clerk(), now=now())
    assert not approvals("changed").exists()
    row.refresh_from_db()
    assert not looked(seller=seller, seen=row.facts_at.isoformat(), actor=clerk(), now=now())


def test_a_suspension_and_an_approval_do_not_undo_each_other(seller: Seller) -> None:
    boss = clerk("admin")
    asked(seller)
    suspend_seller(seller=seller, why="Fakes.", actor=boss, now=now())
    assert barred(seller) == "suspended"
    decide(approve, seller)
    assert barred(seller) == "suspended" and "suspended for another reason" in Mail.objects.latest("pk").body
    resume_seller(seller=seller, why="All real.", actor=boss, now=now())
    assert barred(seller) == ""
    other = opened("Other")
    suspend_seller(seller=other, why="Fakes.", actor=boss, now=now())
    resume_seller(seller=other, why="All real.", actor=boss, now=now())
    assert barred(other) == "approval", "who is not approved does not sell because a suspension ended"
    assert "as soon as the marketplace has approved you" in Mail.objects.latest("pk").body


def test_a_shop_without_an_approval_is_left_alone(seller: Seller) -> None:
    old = a_seller()
    touched(seller=old, item=Item.SHIPS_FROM, now=now())
    assert SellerApproval.objects.get().seller == seller


class TestWhoSells:
    def test_it_is_sealed_and_read_by_its_owner_and_by_who_approves_alone(self, seller: Seller) -> None:
        bring(seller)
        row = SellerDetails.objects.get()
        sealed = bytes(row.sealed or b"") + bytes(row.document or b"")
        assert b"Nora" not in sealed and b"536" not in sealed and b"A card." not in sealed
        for reader in (seller.owner, clerk("risk"), clerk("admin")):
            assert particulars_of(seller=seller, actor=reader) == NORA
        for other in (clerk("support"), clerk("finance"), a_seller().owner):
            with pytest.raises(NotAllowed):
                particulars_of(seller=seller, actor=other)
            with pytest.raises(NotAllowed):
                document_of(seller=seller, actor=other, now=now())
        for other in (clerk("risk"), clerk("admin")):
            with pytest.raises(NotAllowed, match="owner"):
                save_particulars(seller=seller, given=NORA, actor=other, now=now())
        assert document_of(seller=seller, actor=clerk(), now=now()) == b"A card."
        assert AuditEntry.objects.filter(action="document seen").count() == 1
        told = str(list(AuditEntry.objects.values_list("subject", "detail")) + list(Mail.objects.values_list("body")))
        assert "Nora" not in told and "536-90" not in told

    def test_another_person_is_looked_at_again_and_a_move_is_only_shown(self, seller: Seller) -> None:
        asked(seller)
        decide(approve, seller)
        moved = replace(NORA, line1="6 Elm St", vat_id="DE136695976")
        save_particulars(seller=seller, given=moved, actor=seller.owner, now=now())
        assert (barred(seller), SellerApproval.objects.get().changed) == ("", ["tax"])
        same = replace(moved, name="nora  kern", tax_number="536904399")
        save_particulars(seller=seller, given=same, actor=seller.owner, now=now())
        assert barred(seller) == "", "the same written in another way is no other person"
        save_particulars(seller=seller, given=replace(moved, name="Ida Kern"), actor=seller.owner, now=now())
        assert (barred(seller), SellerApproval.objects.get().stage) == ("approval", "asked")
        assert Mail.objects.filter(subject="Your approval is looked at again").count() == 1
        decide(approve, seller)
        assert (barred(seller), SellerApproval.objects.get().changed) == ("", [])

    def test_the_document_goes_when_it_is_not_needed_any_more_and_counts_still(self, seller: Seller) -> None:
        asked(seller)
        later = now() + timedelta(days=31)
        run(now=later)
        assert document_of(seller=seller, actor=clerk(), now=now()) == b"A card.", "it was not looked at yet"
        decide(approve, seller)
        run(now=now() + timedelta(days=29))
        assert document_of(seller=seller, actor=clerk(), now=now())
        run(now=later)
        assert document_of(seller=seller, actor=clerk(), now=now()) is None
        row = SellerApproval.objects.select_related("seller__owner").get()
        assert not any(line.missing for line in lines_of(row))
        assert particulars_of(seller=seller, actor=seller.owner) == NORA

    def test_the_document_of_who_was_approved_says_nothing_of_another_person(self, seller: Seller) -> None:
        asked(seller)
        decide(approve, seller)
        run(now=now() + timedelta(days=31))
        save_particulars(seller=seller, given=replace(NORA, name="Ida Kern"), actor=seller.owner, now=now())
        with pytest.raises(Invalid, match="Still missing: Who you are"):
            decide(approve, seller)
        save_document(seller=seller, jpeg=b"Ida's card.", actor=seller.owner, now=now())
        decide(approve, seller)
        assert barred(seller) == ""

    def test_the_document_of_who_never_asked_goes_and_is_shown_anew(self, seller: Seller) -> None:
        bring(seller)
        run(now=now() + timedelta(days=179))
        assert SellerDetails.objects.exclude(document=None).exists()
        run(now=now() + timedelta(days=181))
        assert not SellerDetails.objects.exclude(document=None).exists()
        with pytest.raises(Invalid, match="Still missing: Who you are"):
            ask(seller=seller, actor=seller.owner, now=now())
        save_document(seller=seller, jpeg=b"A card.", actor=seller.owner, now=now())
        assert ask(seller=seller, actor=seller.owner, now=now())
        run(now=now() + timedelta(days=400))
        assert SellerDetails.objects.exclude(document=None).exists(), "who asks waits for staff"
        decide(send_back, seller, "Which street?")
        run(now=now() + timedelta(days=181))
        assert not SellerDetails.objects.exclude(document=None).exists()

    def test_nobody_is_approved_whose_details_nobody_can_read(self, seller: Seller, settings: Any) -> None:
        asked(seller)
        keys, settings.VAULT_KEYS = settings.VAULT_KEYS, [Fernet.generate_key().decode()]
        with pytest.raises(Invalid, match=r"key to what they told is lost.*Send it back"):
            decide(approve, seller)
        assert barred(seller) == "approval" and SellerApproval.objects.get().stage == Stage.ASKED
        settings.VAULT_KEYS = keys
        decide(approve, seller)
        assert barred(seller) == ""

    def test_a_lost_key_costs_what_it_closed_and_nothing_else(self, seller: Seller, settings: Any) -> None:
        asked(seller)
        decide(approve, seller)
        settings.VAULT_KEYS = [Fernet.generate_key().decode()]
        for reader in (seller.owner, clerk()):
            with pytest.raises(KeyLost, match="has to type them again"):
                particulars_of(seller=seller, actor=reader)
        with pytest.raises(KeyLost, match="has to show it again"):
            document_of(seller=seller, actor=clerk(), now=now())
        assert not AuditEntry.objects.filter(action="document seen").exists(), "nobody saw it"
        whose = Whose(seller.owner)
        (section,) = (section for section in SOLD if section.name == "tax_details")
        (row,) = rows_of(section, whose)
        assert "is lost" in row["details"]["lost"]
        save_particulars(seller=seller, given=NORA, actor=seller.owner, now=now())
        assert particulars_of(seller=seller, actor=clerk()) == NORA
        assert (barred(seller), SellerApproval.objects.get().changed) == ("", ["tax"])
        (row,) = rows_of(section, whose)
        assert row["details"]["name"] == "Nora Kern"

    def test_who_begins_to_ship_into_the_union_is_shown_to_staff(self, seller: Seller) -> None:
        asked(seller)
        decide(approve, seller)
        set_rates(seller=seller, currency="USD", rates={"CA": Money(900, "USD")}, now=now())
        assert SellerApproval.objects.get().changed == []
        set_rates(seller=seller, currency="USD", rates={"DE": Money(900, "USD")}, now=now())
        assert (SellerApproval.objects.get().changed, barred(seller)) == (["contact"], "")

    def test_who_ships_into_the_union_names_somebody_there(self, seller: Seller) -> None:
        def mark() -> str:
            row = SellerApproval.objects.select_related("seller__owner").get()
            return {line.item: line.mark.value for line in lines_of(row)}[Item.CONTACT]

        assert mark() == "not_needed"
        ShippingRate.objects.create(seller=seller, country="*", currency="USD", price_minor=900)
        assert mark() == "missing"
        with pytest.raises(Wrong) as wrong:
            save_contact(seller=seller, given=Contact("N", "", "n"), actor=seller.owner, now=now())
        assert set(wrong.value.fields) == {"address", "email"}
        there = Contact("Nora", "Hauptstr. 1, 10115 Berlin", "n@example.test")
        save_contact(seller=seller, given=there, actor=seller.owner, now=now())
        assert mark() == "done"
        save_contact(seller=seller, given=None, actor=seller.owner, now=now())
        assert mark() == "missing"
