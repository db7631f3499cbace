"""Approval as people do it: the seller's list and the staff's queue, by the pages, without a script."""

import io
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from crossdock.store.models import PageText, Seller, SellerApproval, SellerDetails
from market import user
from shopper import Shopper, a_listing, a_seller, of

pytestmark = pytest.mark.django_db
AT = "/seller/before-you-sell/"
SHOP = {"name": "Tidewater", "country": "US", "currency": "USD", "handling_days": "2", "at_home": "4.50"}
NORA = {
    **{"kind": "private", "name": "Nora Kern", "line1": "5 Market St", "city": "Austin", "postal_code": "78701"},
    **{"country": "US", "born": "1990-05-17", "tax_number": "536-90-4399", "tax_country": "US"},
}
HOME = {"name": "T", "line1": "5 Market St", "city": "Austin", "region": "TX", "postal_code": "78701", "country": "US"}


def png() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(target, "PNG")
    return target.getvalue()


def clerk(roles: str = "risk") -> Shopper:
    made = Shopper(signed_in=False)
    made.client.force_login(user(is_staff=True, roles=roles))
    return made


@pytest.fixture
def owner(settings: Any) -> Shopper:
    settings.APPROVE_SELLERS = True
    made = Shopper("tide@example.test")
    assert made.post("/sell/", **SHOP) == 200
    return made


def test_from_opening_the_shop_to_the_first_listing_that_is_seen(owner: Shopper) -> None:
    seller, staff, buyer = Seller.objects.get(), clerk(), Shopper()
    PageText.objects.create(page="terms", number=3, text="Be kind.", made_at=seller.created_at)
    assert "You do not sell yet." in owner.page
    card = a_listing(seller)
    assert buyer.get(of(card.listing)) == 404 and "has not approved them" in buyer.page
    assert buyer.get(f"/s/{seller.slug}/") == 404
    owner.get(AT)
    assert "0 of 5 are settled" in owner.page and "Ask for approval</button>" not in owner.page
    owner.post(f"{AT}ask/")
    assert "Still missing: Confirmed e-mail address; Who you are; Where you ship from; Tax details" in owner.page
    EmailAddress.objects.update_or_create(user=seller.owner, email=seller.owner.email, defaults={"verified": True})
    owner.post("/seller/profile/ship-from/", **HOME)
    owner.get(f"{AT}details/")
    assert owner.post(f"{AT}details/", **{**NORA, "born": "", "tax_number": "000"}) == 422
    assert "Type your date of birth." in owner.page and "no tax number of that country" in owner.page
    assert 'value="Nora Kern"' in owner.page, "nothing typed is lost"
    owner.post(f"{AT}details/", **NORA)
    assert owner.post(f"{AT}document/", document=SimpleUploadedFile("a.txt", b"no")) == 422
    owner.post(f"{AT}document/", document=SimpleUploadedFile("a.png", png()))
    owner.post(f"{AT}terms/", version="2")
    assert "newer version of the terms" in owner.page
    owner.post(f"{AT}terms/", version="3")
    assert "5 of 5 are settled" in owner.page and "Ask for approval</button>" in owner.page
    for _ in range(2):
        owner.post(f"{AT}ask/")
    assert "You asked for approval" in owner.page
    staff.get("/staff/approvals/")
    assert "Tidewater" in staff.page and "Waits for us" in staff.page
    at = f"/staff/approvals/{seller.public_id}/"
    staff.get(at)
    assert "Nora Kern" in staff.page and "536-90-4399" in staff.page
    assert "In the European Union:" not in staff.page
    picture = staff.client.get(f"{at}document/")
    assert picture["Content-Type"] == "image/jpeg" and picture.content.startswith(b"\xff\xd8")
    seen = SellerApproval.objects.get().facts_at.isoformat()
    assert staff.post(at, deed="send_back", seen=seen, words=" ") == 422 and "Say what is missing" in staff.page
    staff.post(at, deed="send_back", seen=seen, words="No number.\nWhich house?")
    assert "Sent back." in staff.page
    owner.get("/seller/")
    assert "need something of you" in owner.page
    owner.get(AT)
    assert "No number.<br>Which house?" in owner.page
    owner.post(f"{AT}ask/")
    staff.post(at, deed="approve", seen=seen, words="")
    assert "is approved, and is told" in staff.page
    assert staff.post(at, deed="approve", seen=seen, words="") == 422 and "decided it meanwhile" in staff.page
    owner.get("/seller/")
    assert "You do not sell yet" not in owner.page
    assert buyer.get(of(card.listing)) == 200


def test_who_was_here_reads_that_nothing_is_asked(settings: Any) -> None:
    settings.APPROVE_SELLERS = True
    seller = a_seller()
    owner = Shopper(seller.owner.email)
    assert owner.get(AT) == 200 and "Nothing is asked of you" in owner.page
    owner.post(f"{AT}ask/")
    assert "needs no approval" in owner.page


def test_other_staff_and_other_sellers_see_none_of_it(owner: Shopper) -> None:
    seller = Seller.objects.get()
    for role in ("support", "finance", "operations"):
        assert clerk(role).get(f"/staff/approvals/{seller.public_id}/") == 403, role
    assert owner.get(f"/staff/approvals/{seller.public_id}/") == 404
    assert clerk().get("/staff/approvals/zzzzzzzzzzzz/") == 404


def test_every_tab_says_when_it_is_empty() -> None:
    staff = clerk()
    for which in ("asked", "changed", "sent_back", "preparing", "approved", "all", "nonsense"):
        assert staff.get(f"/staff/approvals/?which={which}") == 200
        assert "Nobody" in staff.page or "Nothing changed" in staff.page


def test_staff_who_act_as_the_seller_see_none_of_it(owner: Shopper) -> None:
    seller = Seller.objects.get()
    owner.post(f"{AT}details/", **NORA)
    support = clerk("support")
    support.post(f"/staff/sellers/{seller.public_id}/act/", why="They called.")
    for page in ("details/", "document/", "eu-contact/"):
        support.get(f"{AT}{page}")
        assert "Only the shop’s owner" in support.page and "536-90" not in support.page, page


def test_staff_read_the_contact_in_the_union(owner: Shopper) -> None:
    seller, staff = Seller.objects.get(), clerk()
    owner.post(f"{AT}eu-contact/", name="Nora <Kern>", address="Hauptstr. 1\n10115 Berlin", email="n@example.test")
    staff.get(f"/staff/approvals/{seller.public_id}/")
    assert "In the European Union:" in staff.page and "Hauptstr. 1<br>10115 Berlin, n@example.test" in staff.page
    assert "Nora <Kern>" not in staff.client.get(f"/staff/approvals/{seller.public_id}/").content.decode()


def test_a_lost_key_is_said_to_the_seller_and_to_staff(owner: Shopper, settings: Any) -> None:
    seller, staff = Seller.objects.get(), clerk()
    owner.post(f"{AT}details/", **NORA)
    owner.get(f"{AT}document/")
    assert "Another one takes its place" not in owner.page and "multiple" not in owner.page
    owner.post(f"{AT}document/", document=SimpleUploadedFile("a.png", png()))
    owner.get(f"{AT}document/")
    assert "Another one takes its place" in owner.page
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    at = f"/staff/approvals/{seller.public_id}/"
    SellerApproval.objects.update(stage="asked", asked_at=seller.created_at)
    assert staff.get(at) == 200 and "has to type them again" in staff.page and ">Approve</button>" not in staff.page
    assert staff.get(f"{at}document/") == 200 and "has to show it again" in staff.page
    assert owner.get(f"{AT}details/") == 200 and "cannot be opened any more" in owner.page
    owner.post(f"{AT}details/", **NORA)
    assert "Your tax details are saved." in owner.page
    staff.get(at)
    assert "536-90-4399" in staff.page


def test_staff_are_shown_that_the_confirmed_address_is_another_one(owner: Shopper) -> None:
    seller = Seller.objects.get()
    EmailAddress.objects.update_or_create(user=seller.owner, email=seller.owner.email, defaults={"verified": True})
    SellerApproval.objects.update(stage="approved")
    owner.post("/accounts/email/", email="new@example.test", action_add="")
    assert SellerApproval.objects.get().changed == [], "it is not confirmed yet"
    (letter,) = (letter for letter in mail.outbox if letter.to == ["new@example.test"])
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(letter.body))
    assert link
    owner.post(link[1])
    staff = clerk()
    staff.get("/staff/approvals/?which=changed")
    assert "Changed: Confirmed e-mail address" in staff.page and "new@example.test" in staff.page


def test_who_needs_no_approval_is_asked_for_no_document() -> None:
    seller = a_seller()
    owner = Shopper(seller.owner.email)
    owner.post(f"{AT}document/", document=SimpleUploadedFile("a.png", png()))
    assert "we want no document of you" in owner.page and not SellerDetails.objects.exists()


def test_the_contact_in_the_union_stands_on_each_listing() -> None:
    seller = a_seller()
    owner, buyer, card = Shopper(seller.owner.email), Shopper(), a_listing(seller)
    there = {"name": "Nora <b>Kern</b>", "address": "Hauptstr. 1\n10115 Berlin", "email": "nora@example.test"}
    assert owner.post(f"{AT}eu-contact/", **{**there, "email": "nora"}) == 422
    owner.post(f"{AT}eu-contact/", **there)
    assert "Buyers see it with each listing" in owner.page
    raw = buyer.client.get(of(card.listing)).content.decode()
    assert buyer.get(of(card.listing)) == 200
    assert "Responsible in the EU" in buyer.page and "Nora &lt;b&gt;Kern" in raw
    assert "Hauptstr. 1<br>10115 Berlin" in buyer.page and "mailto:nora@example.test" in buyer.page
    owner.post(f"{AT}eu-contact/", deed="remove")
    buyer.get(of(card.listing))
    assert "Responsible in the EU" not in buyer.page
