"""Pictures of what comes back: shown to the two sides, small and without what else the file said, and never in the way
of the return itself.
"""

import io
import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from tests.usecases.requests.test_returns import asked, client_of, fresh, shipped, world
from tests.web.test_pictures import RED, opened, picture, taken_in_lisbon

from crossdock.domain.requests.returns import MOST_PICTURES
from crossdock.store.models import Mail, Order, Return, ReturnPicture
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.requests.returns import add_pictures, decline
from crossdock.usecases.requests.withdraw import send_link
from crossdock.usecases.support import retention
from crossdock.web.picture_encoding import PHOTO_SIDE, photo
from market import World, seller, user

__all__ = ["world"]


def link_token(order: Order) -> str:
    send_link(number=str(order.number), email=order.buyer.email, now=order.placed_at)
    found = re.search(r"/returns/(\S+)/", Mail.objects.get(cause__startswith=f"withdraw_link:{order.reference}").body)
    assert found is not None
    return found[1]


def upload(content: bytes, name: str = "scratch.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/jpeg")


def ask(client: Client, order: Order, *files: SimpleUploadedFile, **form: str) -> str:
    (line,) = order.lines.all()
    given = {"deed": "ask", "reason": "damaged", "words": "A long scratch.", f"units_{line.pk}": "2", **form}
    answer = client.post(f"/orders/{order.public_id}/returns/", {**given, "pictures": list(files)}, follow=True)
    return unescape(answer.content.decode())


class TestAsked:
    def test_both_sides_see_them_and_nobody_learns_where_they_were_taken(self, world: World) -> None:
        order = shipped(world, 2)
        mine, theirs = client_of(order.buyer), client_of(world.seller.owner)
        two = [upload(picture("JPEG", (3000, 20), exif=taken_in_lisbon())), upload(picture("PNG"), "back.png")]
        assert "has your request" in ask(mine, order, *two)
        row = Return.objects.get()
        assert row.pictures.count() == 2
        for kept in row.pictures.all():
            shown = opened(bytes(kept.content))
            assert shown.format == "JPEG" and max(shown.size) <= PHOTO_SIDE and not shown.getexif()
            assert b"Lantern Phones" not in bytes(kept.content)
        for client, page in (
            (mine, f"/orders/{order.public_id}/returns/"),
            (theirs, f"/seller/returns/{row.public_id}/"),
        ):
            said = client.get(page).content.decode()
            for kept in row.pictures.all():
                at = (
                    f"{page}{row.public_id}/pictures/{kept.name}/" if client is mine else f"{page}pictures/{kept.name}/"
                )
                assert f'src="{at}"' in said
                answer = client.get(at)
                assert (answer.content, answer["Content-Type"]) == (bytes(kept.content), "image/jpeg")
                assert "no-store" in answer["Cache-Control"]
        assert "2 pictures of it" in Mail.objects.get(cause__startswith="return_asked:").body

    def test_a_second_click_keeps_each_once(self, world: World) -> None:
        order = shipped(world, 2)
        buyer = client_of(order.buyer)
        for _ in range(2):
            assert "has your request" in ask(buyer, order, upload(picture("JPEG")), upload(picture("JPEG")))
        assert (Return.objects.count(), ReturnPicture.objects.count()) == (1, 1)

    @pytest.mark.parametrize(
        ("files", "said"),
        [
            ([upload(picture("PNG")), upload(b"%PDF-1.4", "bill.pdf")], "“bill.pdf”: Choose a PNG, JPEG or WebP"),
            ([upload(picture("JPEG", (400, 200))[:-50], "cut.jpg")], "“cut.jpg”: This picture is damaged"),
            ([upload(picture("PNG"))] * (MOST_PICTURES + 1), f"at most {MOST_PICTURES} pictures"),
            ([upload(b"\xff" * (8 << 20)), upload(b"\xff" * (8 << 20))], "more than 15 MB together"),
        ],
    )
    def test_a_bad_file_is_said_beside_it_and_what_was_typed_stays(
        self, world: World, files: list[SimpleUploadedFile], said: str
    ) -> None:
        order = shipped(world, 2)
        page = ask(client_of(order.buyer), order, *files)
        assert said in page and "A long scratch." in page and '<option value="damaged" selected>' in page
        assert '<option value="2" selected>' in page
        assert not Return.objects.exists() and not ReturnPicture.objects.exists()

    def test_pictures_that_a_wrong_form_had_have_to_be_chosen_again(self, world: World) -> None:
        order = shipped(world, 2)
        page = ask(client_of(order.buyer), order, upload(picture("PNG")), reason="")
        assert "Choose them again" in page and not Return.objects.exists()


class TestAdded:
    def test_while_it_is_open_and_never_too_many(self, world: World) -> None:
        order = shipped(world, 2)
        row = asked(world, order)
        buyer, at = client_of(order.buyer), f"/orders/{order.public_id}/returns/"
        form = {"deed": "pictures", "return": row.public_id}
        page = buyer.post(at, {**form, "pictures": [upload(picture("PNG"))]}, follow=True).content.decode()
        assert "The seller sees your pictures." in page and row.pictures.count() == 1
        page = unescape(buyer.post(at, {**form, "pictures": [upload(b"no")]}).content.decode())
        assert "this file is none" in page and "<details open>" in page
        assert "Choose a picture." in buyer.post(at, form).content.decode()
        add_pictures(row=row, pictures=[b"1", b"2", b"3", b"1"], now=world.later())
        with pytest.raises(Invalid, match=r"at most 6 pictures\. 4 are there already"):
            add_pictures(row=row, pictures=[b"4", b"5", b"6"], now=world.later())
        add_pictures(row=row, pictures=[b"1", b"2"], now=world.later())
        assert row.pictures.count() == 4 and Mail.objects.filter(cause__startswith="return_pictures:").count() == 2
        decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
        with pytest.raises(NotAllowed, match="over already"):
            add_pictures(row=row, pictures=[b"7"], now=world.later())
        assert "Add pictures" not in buyer.get(at).content.decode()


class TestWhatCannotBeAdded:
    """Is said before a picture is decoded, which takes its time."""

    @pytest.fixture(autouse=True)
    def _none_is_decoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def decoded(content: bytes) -> bytes:
            raise AssertionError("decoded for nothing")

        monkeypatch.setattr("crossdock.web.pictures.photo", decoded)

    def sent(self, row: Return) -> str:
        form = {"deed": "pictures", "return": row.public_id, "pictures": [upload(picture("PNG"))]}
        order = row.order
        return client_of(order.buyer).post(f"/orders/{order.public_id}/returns/", form, follow=True).content.decode()

    def test_to_a_return_that_is_over_or_has_six(self, world: World) -> None:
        row = asked(world, shipped(world, 2))
        add_pictures(row=row, pictures=[bytes([n]) for n in range(MOST_PICTURES)], now=world.later())
        assert "This return has 6 pictures already" in self.sent(row)
        add_pictures(row=row, pictures=[b"\x00"], now=world.later())
        decline(row=row, actor=world.seller.owner, answer="Worn.", now=world.later())
        assert "over already" in self.sent(row)
        assert row.pictures.count() == MOST_PICTURES

    def test_to_a_question_that_cannot_be_asked(self, world: World) -> None:
        order = shipped(world, 2)
        asked(world, order)
        mine, (line,) = client_of(order.buyer), order.lines.all()
        assert "has your request" in ask(mine, order, upload(picture("PNG")), **{f"units_{line.pk}": "1"})
        Return.objects.update(state="taken_back")
        Order.objects.update(placed_at=world.now - timedelta(days=900))
        long_ago = world.now - timedelta(days=800)
        order.shipments.update(shipped_at=long_ago, heard_at=long_ago)
        assert "The time for returns ended" in ask(mine, order, upload(picture("PNG")))
        assert not ReturnPicture.objects.exists()


class TestWhoSees:
    def test_the_two_sides_of_this_order_a_guest_with_its_link_and_nobody_else(self, world: World) -> None:
        order, other = shipped(world, 2), world.buy(1)
        ship_by_hand(order=other, lines=None, tracking="T2", carrier="UPS", actor=world.seller.owner, now=world.later())
        row, foreign = asked(world, order), asked(world, fresh(other))
        add_pictures(row=row, pictures=[photo(picture("PNG"))], now=world.later())
        its = f"{row.public_id}/pictures/{row.pictures.get().name}/"
        guest, page = Client(), f"/returns/{link_token(order)}/"
        assert its in guest.get(page).content.decode() and guest.get(f"{page}{its}").status_code == 200
        assert guest.get(f"/returns/{link_token(other)}/{its}").status_code == 404
        elsewhere = its.replace(row.public_id, foreign.public_id)
        for at, who, found in (
            (f"/orders/{order.public_id}/returns/{its}", order.buyer, 200),
            (f"/orders/{order.public_id}/returns/{elsewhere}", order.buyer, 404),
            (f"/orders/{order.public_id}/returns/{its}", other.buyer, 404),
            (f"/orders/{order.public_id}/returns/{its}", world.seller.owner, 404),
            (f"/orders/{order.public_id}/returns/{its}", user(is_staff=True), 404),
            (f"/seller/returns/{its}", world.seller.owner, 200),
            (f"/seller/returns/{its}", seller().owner, 404),
            (f"/seller/returns/{its}", order.buyer, 403),
            (f"/media/{row.pictures.get().name}.jpg", order.buyer, 404),
        ):
            assert client_of(who).get(at).status_code == found, (at, who)
        for roles, found in (("support", 200), ("finance", 403)):
            staff = client_of(user(is_staff=True, roles=roles))
            staff.post(f"/staff/sellers/{world.seller.public_id}/act/", {"why": "A buyer asked"})
            assert staff.get(f"/seller/returns/{its}").status_code == found, roles


def test_they_go_long_after_the_return_is_over(world: World) -> None:
    order = shipped(world, 2)
    row, now = asked(world, order), world.now
    add_pictures(row=row, pictures=[b"1"], now=world.later())
    assert "store.ReturnPicture:deleted" not in retention.run(now=now + timedelta(days=900)), "it is open"
    Return.objects.update(state="received", closed_at=now)
    assert "store.ReturnPicture:deleted" not in retention.run(now=now + timedelta(days=539))
    assert retention.run(now=now + timedelta(days=541))["store.ReturnPicture:deleted"] == 1
    assert Return.objects.get() == row and not ReturnPicture.objects.exists()


def test_what_shows_through_is_white_and_not_black() -> None:
    image = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    image.paste((*RED, 255), (0, 0, 20, 20))
    target = io.BytesIO()
    image.save(target, "PNG")
    shown = opened(photo(target.getvalue()))
    assert shown.getpixel((35, 5)) == (255, 255, 255)
