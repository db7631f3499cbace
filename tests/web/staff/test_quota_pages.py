"""A seller's limits as staff set them and as the seller reads them."""

import pytest
from django.test import Client

from crossdock.store.models import Mail, Seller
from market import World, user

pytestmark = pytest.mark.django_db


def test_set_by_staff_and_read_by_the_seller() -> None:
    world, staff, seller = World(units=3), Client(), Client()
    staff.force_login(user(is_staff=True, roles="risk"))
    seller.force_login(world.seller.owner)
    url = f"/staff/sellers/{world.seller.public_id}/limits/"
    assert url in staff.get(f"/staff/sellers/{world.seller.public_id}/").content.decode()
    page = staff.get(url).content.decode()
    assert "1 now, of no limit" in page and "of 10,000. Empty: as usual, 10,000" in page
    before = seller.get("/seller/profile/limits/").content.decode()
    assert "no limit" in before and "Full" not in before

    form = {"listings": "1", "by_hand": "", "cases": "", "messages": "", "orders": "", "why": "You are new."}
    answer = staff.post(url, form, follow=True)
    assert answer.status_code == 200 and "they are told" in answer.content.decode()
    assert Seller.objects.get(pk=world.seller.pk).quotas == {"listings": 1}
    assert "Nothing changed" in staff.post(url, form, follow=True).content.decode()
    assert Mail.objects.filter(to=world.seller.owner.email, subject="Your limits changed").count() == 1
    after = seller.get("/seller/profile/limits/").content.decode()
    assert "Full" in after and "choose what to sell of your shop" in after

    for wrong, said in (("-1", "0"), ("many", "whole number"), ("10000000", "1000000")):
        answer = staff.post(url, {**form, "listings": wrong})
        assert answer.status_code == 422 and said in answer.content.decode(), wrong
        assert f'value="{wrong}"' in answer.content.decode(), "what was typed is kept"
    assert Seller.objects.get(pk=world.seller.pk).quotas == {"listings": 1}


def test_not_by_others_and_not_ones_own() -> None:
    world, client = World(), Client()
    url = f"/staff/sellers/{world.seller.public_id}/limits/"
    client.force_login(user(is_staff=True, roles="finance"))
    assert client.get(url).status_code == 403
    client.force_login(world.seller.owner)
    assert client.get(url).status_code == 404
    owner = world.seller.owner
    owner.is_staff, owner.roles = True, "admin"
    owner.save()
    client.force_login(owner)
    form = {"listings": "9", "why": "Me."}
    answer = client.post(url, form)
    assert answer.status_code == 422 and "This shop is your own" in answer.content.decode()
