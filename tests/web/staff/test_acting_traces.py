"""Staff who act as a seller leave a row for each page on which they read who bought."""

from collections.abc import Iterator

import pytest
from django.test import Client
from tests.web.test_walls import PANEL, House, _furnished

from crossdock.store.models import AuditEntry, AuditTopic
from market import ADDRESS, user
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
# Sent again by the shop, or to it: no page.
NO_PAGE = {"seller_connect_return"}


@pytest.fixture
def house() -> Iterator[House]:
    with dropped_in():
        yield _furnished()


def test_each_page_that_names_a_buyer_is_traced(house: House) -> None:
    """Every page of the panel is opened; whichever holds a buyer's name or address is found by what is on it."""
    clerk, client, untraced, named = user(is_staff=True, roles="admin"), Client(), [], 0
    client.force_login(clerk)
    client.post(f"/staff/sellers/{house.world.seller.public_id}/act/", {"why": "Phone call 17"})
    seen = AuditEntry.objects.filter(topic=AuditTopic.ACCESS, action="read as", actor=clerk)
    for name, (path, method, _) in PANEL.items():
        if method != "get" or name in NO_PAGE:
            continue
        before = seen.count()
        answer = client.get(path.format(**house.urls))
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = body.decode(errors="replace")
        if any(word in text for word in (ADDRESS.name, ADDRESS.line1, house.buyer.email)):
            named += 1
            untraced += [name] if seen.count() == before else []
    assert named > 5 and untraced == []
