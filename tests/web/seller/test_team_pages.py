"""A team from the first invitation to handing the shop over, on the pages."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from at_once import meanwhile
from crossdock.domain.team.invitations import LASTS, MOST_LETTERS, MOST_OPEN, MOST_SENT
from crossdock.store.models import ApiToken, Invitation, Mail, Seller, SellerDetails, User
from crossdock.usecases.accounts.inviting import accept, invitation_in, invite, send_again, withdraw
from crossdock.usecases.accounts.sellers import start_selling
from crossdock.usecases.accounts.suspending import suspend_seller
from crossdock.usecases.accounts.team import change_roles, disband, hand_over, leave, let_go, members_of
from crossdock.usecases.accounts.tokens import make_token, token_of
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from market import seller as a_seller
from market import user

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return datetime.now(UTC)


def person(email: str, *, confirmed: bool = True, **fields: object) -> User:
    made = user(email, **fields)
    EmailAddress.objects.create(user=made, email=email, verified=confirmed, primary=True)
    return made


def signed_in(who: User) -> Client:
    client = Client()
    client.login(username=who.email, password="pass-word-1")
    return client


def proved(who: User) -> Client:
    """Who just signed in is not asked again."""
    client = Client()
    client.post("/accounts/login/", {"login": who.email, "password": "pass-word-1"})
    return client


def link_of(email: str) -> str:
    body = Mail.objects.filter(to=email).latest("pk").body
    found = re.search(r"/seller/team/join/[^\s]+", body)
    assert found
    return found.group()


def asked(seller: Seller, email: str, roles: str = "orders") -> Invitation:
    return invite(seller=seller, email=email, roles=roles, actor=seller.owner, now=now())


def token_in(link: str) -> str:
    return link.removeprefix("/seller/team/join/").rstrip("/")


def test_somebody_is_asked_in_works_and_is_taken_out() -> None:
    seller = a_seller("Foxglove")
    owner = proved(seller.owner)
    page = owner.get("/seller/team/").content.decode()
    assert "Nobody but you yet" in page
    said = owner.post("/seller/team/", {"email": "noor@example.test", "roles": "orders"}, follow=True)
    assert "A letter goes to noor@example.test" in said.content.decode()
    link = link_of("noor@example.test")

    stranger = Client().get(link)
    assert stranger.status_code == 200 and "Foxglove asks you into its team" in stranger.content.decode()
    noor = person("noor@example.test", name="Noor")
    client = signed_in(noor)
    assert "Join the team" in client.get(link).content.decode()
    assert "You are in the team of Foxglove" in client.post(link, follow=True).content.decode()
    assert client.get("/seller/orders/").status_code == 200
    assert client.get("/seller/money/").status_code == 403
    assert client.get(link).status_code == 410, "it works once"
    assert "Noor" in Mail.objects.get(to=seller.owner.email, cause__startswith="team_joined").body

    noor.refresh_from_db()
    said = owner.post(f"/seller/team/{noor.pk}/role/", {"roles": "reader"}, follow=True)
    assert "That holds from their next click on" in said.content.decode()
    assert client.get("/seller/orders/export.csv").status_code == 403
    assert "Take Noor out" in owner.get(f"/seller/team/{noor.pk}/remove/").content.decode()
    owner.post(f"/seller/team/{noor.pk}/remove/")
    assert client.get("/seller/orders/").status_code == 403
    assert "no longer in the team" in Mail.objects.filter(to=noor.email).latest("pk").subject


def test_a_form_that_is_wrong_says_what_to_do_and_keeps_what_was_typed() -> None:
    seller = a_seller()
    owner = proved(seller.owner)
    for email, sentence in (("noor", "valid email"), (seller.owner.email, "in your team already")):
        answer = owner.post("/seller/team/", {"email": email, "roles": "listings"})
        assert (
            answer.status_code == 422
            and sentence in answer.content.decode().lower()
            and email in answer.content.decode()
        )
    assert not Invitation.objects.exists()


def test_who_invites_learns_nothing_of_who_is_here() -> None:
    """A stranger, a buyer, somebody's owner: the same answer."""
    seller, other = a_seller(), a_seller()
    owner, said = proved(seller.owner), set()
    for email in ("nobody@example.test", user().email, other.owner.email):
        answer = owner.post("/seller/team/", {"email": email, "roles": "reader"}, follow=True).content.decode()
        found = re.search(r"A letter goes to [^<]*", answer)
        assert found
        said.add(found.group().replace(email, "?"))
    assert len(said) == 1


def test_only_the_address_that_was_asked_takes_it() -> None:
    seller = a_seller()
    row = asked(seller, "noor@example.test")
    link = link_of("noor@example.test")
    thief = person("thief@example.test")
    unproved = person("noor@example.test", confirmed=False)
    for who in (thief, unproved):
        assert "Join the team" not in signed_in(who).get(link).content.decode()
        with pytest.raises(NotAllowed, match="another e-mail address"):
            accept(invitation=row, person=who, now=now())
    assert not members_of(seller).exists()
    EmailAddress.objects.filter(user=unproved).update(verified=True)
    accept(invitation=row, person=unproved, now=now())
    accept(invitation=row, person=unproved, now=now())
    assert [one.pk for one in members_of(seller)] == [unproved.pk]


def test_an_invitation_ends_is_replaced_and_withdrawn() -> None:
    seller, noor = a_seller(), person("noor@example.test")
    row = asked(seller, noor.email)
    first = token_in(link_of(noor.email))
    assert invitation_in(first) == row and invitation_in(first[:-2] + "xx") is None and invitation_in("") is None
    with pytest.raises(Stale):
        accept(invitation=row, person=noor, now=now() + LASTS)
    send_again(invitation=row, actor=seller.owner, now=now())
    assert invitation_in(first) is None, "the letter before is dead"
    assert Client().get(f"/seller/team/join/{first}/").status_code == 410
    with pytest.raises(Stale):
        accept(invitation=row, person=noor, now=now())
    fresh = invitation_in(token_in(link_of(noor.email)))
    assert fresh is not None
    withdraw(invitation=fresh, actor=seller.owner, now=now())
    withdraw(invitation=fresh, actor=seller.owner, now=now())
    with pytest.raises(Stale):
        accept(invitation=fresh, person=noor, now=now())
    with pytest.raises(Stale):
        send_again(invitation=fresh, actor=seller.owner, now=now())
    noor.refresh_from_db()
    assert not noor.works_as


def test_letters_have_a_limit() -> None:
    seller = a_seller()
    row = asked(seller, "a@example.test")
    for _ in range(MOST_SENT - 1):
        row = asked(seller, "A@example.test", "reader")
    assert Invitation.objects.count() == 1 and row.roles == "reader"
    with pytest.raises(NotAllowed, match="often enough"):
        asked(seller, "a@example.test")
    for number in range(MOST_OPEN - 1):
        asked(seller, f"b{number}@example.test")
    with pytest.raises(NotAllowed, match="wait already"):
        asked(seller, "c@example.test")
    for one in Invitation.objects.filter(seller=seller):
        withdraw(invitation=one, actor=seller.owner, now=now())
    for number in range(MOST_LETTERS - MOST_SENT - MOST_OPEN + 1):
        asked(seller, f"d{number}@example.test")
    with pytest.raises(NotAllowed, match="enough letters"):
        asked(seller, "last@example.test")


def test_nobodys_mailbox_is_filled_by_asking_and_withdrawing() -> None:
    seller = a_seller()
    for _ in range(MOST_SENT):
        withdraw(invitation=asked(seller, "a@example.test"), actor=seller.owner, now=now())
    with pytest.raises(NotAllowed, match="enough letters for one day"):
        asked(seller, "A@example.test")
    assert Mail.objects.filter(to__iexact="a@example.test").count() == MOST_SENT
    asked(seller, "b@example.test")
    invite(seller=seller, email="a@example.test", roles="orders", actor=seller.owner, now=now() + timedelta(days=2))


def test_who_is_in_the_team_and_is_asked_at_another_address_reads_so() -> None:
    seller, noor = a_seller(), person("noor@example.test")
    EmailAddress.objects.create(user=noor, email="noor@second.test", verified=True)
    accept(invitation=asked(seller, noor.email), person=noor, now=now())
    with pytest.raises(NotAllowed, match="in this team already"):
        accept(invitation=asked(seller, "noor@second.test", "listings"), person=noor, now=now())


def test_one_account_works_for_one_shop() -> None:
    seller, other = a_seller(), a_seller()
    noor = person("noor@example.test")
    EmailAddress.objects.create(user=other.owner, email=other.owner.email, verified=True, primary=True)
    accept(invitation=asked(seller, noor.email), person=noor, now=now())
    with pytest.raises(NotAllowed, match="team of another shop"):
        accept(invitation=asked(other, noor.email), person=noor, now=now())
    with pytest.raises(NotAllowed, match="shop of your own"):
        accept(invitation=asked(seller, other.owner.email), person=other.owner, now=now())
    stale = User.objects.get(pk=noor.pk)
    stale.works_as = ""
    for who in (User.objects.get(pk=noor.pk), stale):
        with pytest.raises(NotAllowed, match="Leave it first"):
            start_selling(user=who, name="N", country="US", currency="USD", handling_days=1, rates={}, now=now())
    leave(person=User.objects.get(pk=noor.pk), now=now())
    with pytest.raises(NotAllowed, match="no team"):
        leave(person=User.objects.get(pk=noor.pk), now=now())
    accept(invitation=Invitation.objects.get(seller=other, email=noor.email), person=noor, now=now())
    assert [one.pk for one in members_of(other)] == [noor.pk] and not members_of(seller)


def test_only_the_owner_says_who_is_in_the_team() -> None:
    seller = a_seller()
    noor = person("noor@example.test", works_for=seller, works_as="orders listings")
    sam = person("sam@example.test", works_for=seller, works_as="reader")
    row = asked(seller, "kim@example.test")
    for deed in (
        lambda: invite(seller=seller, email="x@example.test", roles="reader", actor=noor, now=now()),
        lambda: send_again(invitation=row, actor=noor, now=now()),
        lambda: withdraw(invitation=row, actor=noor, now=now()),
        lambda: change_roles(seller=seller, member=noor.pk, roles="orders", actor=noor, now=now()),
        lambda: let_go(seller=seller, member=sam.pk, actor=noor, now=now()),
        lambda: hand_over(seller=seller, member=noor.pk, actor=noor, now=now()),
    ):
        with pytest.raises(NotAllowed):
            deed()
    with pytest.raises(Stale):
        let_go(seller=seller, member=seller.owner_id, actor=seller.owner, now=now())
    with pytest.raises(Invalid):
        change_roles(seller=seller, member=sam.pk, roles="owner", actor=seller.owner, now=now())
    sam.refresh_from_db()
    assert sam.works_as == "reader"


def test_a_shop_is_handed_over() -> None:
    seller = a_seller("Foxglove")
    before, noor = seller.owner, person("noor@example.test", works_for=seller, works_as="orders")
    _, secret = make_token(name="t", seller=seller, actor=before, now=now())
    SellerDetails.objects.create(seller=seller, sealed=b"x")
    owner = proved(before)
    page = owner.get(f"/seller/team/{noor.pk}/hand-over/").content.decode()
    assert "You cannot take it back" in page
    assert owner.post(f"/seller/team/{noor.pk}/hand-over/").status_code == 302
    seller = Seller.objects.get(pk=seller.pk)
    before, noor = User.objects.get(pk=before.pk), User.objects.get(pk=noor.pk)
    assert seller.owner == noor and (noor.works_for, noor.works_as) == (None, "")
    assert (before.works_for, before.works_as) == (seller, "orders listings")
    assert token_of(secret=secret, now=now()) is None and ApiToken.objects.get().revoked_at
    assert not SellerDetails.objects.exists()
    assert Mail.objects.filter(to=before.email, subject__contains="You handed your shop over").exists()
    assert "yours now" in Mail.objects.filter(to=noor.email).latest("pk").subject
    assert owner.get("/seller/money/").status_code == 403
    assert signed_in(noor).get("/seller/money/").status_code == 200
    with pytest.raises(NotAllowed):
        hand_over(seller=seller, member=noor.pk, actor=before, now=now())


@pytest.mark.django_db(transaction=True)
def test_who_waited_while_a_shop_was_handed_over_finds_it() -> None:
    """A second click of the owner, and staff who suspend the seller."""
    shop, member, staff, at = a_seller(), user(), user(is_staff=True, roles="admin"), now()
    User.objects.filter(pk=member.pk).update(works_for=shop, works_as="orders")

    def hand() -> User:
        return hand_over(seller=Seller.objects.get(pk=shop.pk), member=member.pk, actor=shop.owner, now=at)

    assert "Somebody else owns this shop already" in str(meanwhile(hand, hand))
    handed, later = Seller.objects.get(pk=shop.pk), at + timedelta(seconds=1)
    back = partial(hand_over, seller=handed, member=shop.owner.pk, actor=member, now=later)
    assert meanwhile(back, lambda: suspend_seller(seller=shop, why="Fakes.", actor=staff, now=at)) is True
    assert Seller.objects.get(pk=shop.pk).barred and Mail.objects.filter(subject="Your sales are suspended").exists()


def test_handing_over_asks_who_it_is() -> None:
    seller = a_seller()
    noor = person("noor@example.test", works_for=seller, works_as="orders")
    client = proved(seller.owner)
    session = client.session
    long_ago = [{**one, "at": 1.0} for one in session.get("account_authentication_methods", [])]
    session["account_authentication_methods"] = long_ago
    session.save()
    answer = client.post(f"/seller/team/{noor.pk}/hand-over/")
    assert answer.status_code == 403 and "Is it you?" in answer.content.decode()
    assert Seller.objects.get(pk=seller.pk).owner_id != noor.pk


def test_a_closed_shop_has_no_team() -> None:
    seller = a_seller()
    noor = person("noor@example.test", works_for=seller, works_as="orders")
    disband(owner=seller.owner, now=now() + timedelta(days=1))
    noor.refresh_from_db()
    assert not noor.works_as and "closed" in Mail.objects.filter(to=noor.email).latest("pk").subject


def test_a_member_whose_account_is_deleted_is_out_and_the_owner_reads_it() -> None:
    seller = a_seller()
    noor = person("noor@example.test", name="Noor", works_for=seller, works_as="orders")
    disband(owner=noor, now=now())
    noor.refresh_from_db()
    assert not noor.works_as and not members_of(seller).exists()
    assert "their account is deleted" in Mail.objects.get(to=seller.owner.email, subject="Noor left your team").body


def test_a_member_leaves_and_the_owner_cannot() -> None:
    seller = a_seller()
    noor = person("noor@example.test", works_for=seller, works_as="reader")
    client = signed_in(noor)
    page = client.get("/seller/team/").content.decode()
    assert "Leave the team" in page and "Ask somebody in" not in page
    assert client.post("/seller/team/leave/").status_code == 302
    assert client.get("/seller/").status_code == 403
    said = signed_in(seller.owner).post("/seller/team/leave/", follow=True).content.decode()
    assert "handing the shop over" in said and Seller.objects.get(pk=seller.pk).owner == seller.owner
