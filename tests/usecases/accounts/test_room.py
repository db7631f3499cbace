"""How much one seller may have: said in a sentence, and not one too many from two tabs at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from crossdock.domain.values import Money
from crossdock.store.models import ApiToken, Listing, Seller
from crossdock.usecases.accounts import tokens
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.catalogue.listings import archive_listing, make_listing, relist
from crossdock.usecases.errors import NotAllowed
from market import seller as a_seller

NOW = datetime.now(UTC)


def made(seller: Seller, title: str = "Fox") -> Listing:
    return make_listing(seller=seller, title=title, description="", price=Money(100, "USD"), count=1, now=NOW)


def allow(seller: Seller, **most: int) -> None:
    seller.quotas = most
    seller.save(update_fields=["quotas"])


@pytest.mark.django_db
def test_tokens_that_ended_leave_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    seller, other = a_seller(), a_seller()
    first, _ = make_token(name="a", seller=seller, actor=seller.owner, now=NOW)
    make_token(name="b", seller=seller, actor=seller.owner, now=NOW, expires_at=NOW + timedelta(days=1))
    with pytest.raises(NotAllowed, match="You have 2 tokens"):
        make_token(name="c", seller=seller, actor=seller.owner, now=NOW)
    make_token(name="a", seller=other, actor=other.owner, now=NOW)
    make_token(name="c", seller=seller, actor=seller.owner, now=NOW + timedelta(days=2))
    ApiToken.objects.filter(pk=first.pk).update(revoked_at=NOW)
    make_token(name="d", seller=seller, actor=seller.owner, now=NOW + timedelta(days=2))


@pytest.mark.django_db
def test_listings_in_the_archive_leave_room_and_come_back_only_into_it() -> None:
    seller = a_seller()
    allow(seller, by_hand=2)
    first, _ = made(seller), made(seller)
    with pytest.raises(NotAllowed, match="You have 2 listings made by hand"):
        made(seller)
    archive_listing(listing=first, now=NOW)
    made(seller)
    first.refresh_from_db()
    with pytest.raises(NotAllowed, match="made by hand"):
        relist(listing=first, now=NOW)
    assert Listing.objects.filter(seller=seller, state="live").count() == 2 and made(a_seller())


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
    seller, together = a_seller(), Barrier(2, timeout=60)
    allow(seller, by_hand=1)

    def tab(number: int) -> int:
        refused = 0
        try:
            for make in (
                lambda: make_token(name=f"t{number}", seller=seller, actor=seller.owner, now=NOW),
                lambda: made(seller, f"Fox {number}"),
            ):
                together.wait()
                try:
                    make()
                except NotAllowed:
                    refused += 1
        finally:
            connection.close()
        return refused

    with ThreadPoolExecutor(2) as tabs:
        assert sum(tabs.map(tab, range(2))) == 2
    assert (ApiToken.objects.filter(seller=seller).count(), Listing.objects.filter(seller=seller).count()) == (1, 1)
