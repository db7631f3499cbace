"""Guessing is slow for strangers and never locks the owner out; what happens to an account is told to its owner."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core import mail, signing
from django.core.cache import cache
from django.test import Client, TestCase
from django.urls import reverse
from tests.web.signin.test_signin import PASSWORD, set_up, sign_in, signed_in, someone

from crossdock.store.models import Mail, SignInTry, User
from crossdock.usecases.accounts.tries import Source, begin_try, end_well, sources, wait_after
from market import seller as a_seller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    cache.clear()


class TestLetters:
    """Each goes through the outbox to whom the account belonged before."""

    def test_what_the_owner_is_told(self) -> None:
        who = someone()
        client = sign_in(who, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:1) Gecko/1 Firefox/140.0")
        assert told() == [("A new sign-in", who.email)]
        body = Mail.objects.get().body
        assert "From: Firefox on Linux, 127.0.0.1" in body
        assert "/accounts/password/reset/" in body
        form = {"oldpassword": PASSWORD, "password1": "another-pass-9", "password2": "another-pass-9"}
        client.post("/accounts/password/change/", form)
        with TestCase.captureOnCommitCallbacks(execute=True):
            set_up(client)
        with TestCase.captureOnCommitCallbacks(execute=True):
            client.post(reverse("mfa_generate_recovery_codes"))
        client.post(reverse("mfa_deactivate_totp"))
        subjects = [subject for subject, to in told() if to == who.email]
        assert subjects[1:] == [
            "Your password was changed",
            "An authenticator app was set up",
            "New recovery codes were made",
            "Your authenticator app was removed",
        ]
        assert PASSWORD not in str([*Mail.objects.values_list("body", flat=True)])

    def test_a_known_browser_is_no_news_and_a_copied_cookie_of_before_is(self) -> None:
        who = someone()
        client = sign_in(who)
        client.post("/accounts/logout/")
        client.post("/accounts/login/", {"login": who.email, "password": PASSWORD})
        assert len(told()) == 1
        client.post(reverse("account_sessions_end"))
        other = Client()
        other.cookies["known"] = client.cookies["known"].value
        other.post("/accounts/login/", {"login": who.email, "password": PASSWORD})
        assert len(told()) == 2, "signing out everywhere forgets the browsers too"

    def test_the_old_address_reads_of_the_new_one(self) -> None:
        who = someone()
        client = signed_in(who)
        client.post("/accounts/email/", {"email": "thief@example.test", "action_add": ""})
        link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
        assert link
        client.post(link[1])
        assert User.objects.get(pk=who.pk).email == "thief@example.test"
        assert told() == [("Your e-mail address was changed", who.email)]
        assert "thief@example.test" in Mail.objects.get().body

    def test_a_token_s_owner_reads_of_it(self) -> None:
        shop = a_seller()
        signed_in(shop.owner).post("/seller/tokens/", {"name": "{0} packing"})
        assert told() == [("An API token was made", shop.owner.email)]
        assert "“{0} packing”" in Mail.objects.get().body
        assert "cd_" not in Mail.objects.get().body

    def test_a_new_account_is_told_nothing_of_itself(self) -> None:
        Client().post("/accounts/signup/", {"email": "new@example.test", "password1": "a-long-pass-9"})
        assert told() == []


def told() -> list[tuple[str, str]]:
    return [(row.subject.removeprefix("Crossdock: "), row.to) for row in Mail.objects.order_by("pk")]


class TestGuessing:
    """Slow for whoever guesses, and never a lock for the owner."""

    def guess(self, client: Client, who: User, **how: str) -> str:
        form = {"login": who.email, "password": "wrong-guess-1"}
        return unescape(client.post("/accounts/login/", form, **how).content.decode())

    def enters(self, client: Client, who: User, **how: str) -> bool:
        client.post("/accounts/login/", {"login": who.email, "password": PASSWORD}, **how)
        return client.get("/orders/").status_code == 200

    def test_a_stranger_cannot_lock_the_owner_out(self) -> None:
        who = someone()
        home = sign_in(who)
        home.post("/accounts/logout/")
        for number in range(130):
            self.guess(Client(), who, REMOTE_ADDR=f"198.51.{number // 250}.{number % 250 + 1}")
        assert "Too many wrong tries" in self.guess(Client(), who, REMOTE_ADDR="198.51.9.9")
        assert not self.enters(Client(), who, REMOTE_ADDR="198.51.9.8"), (
            "a stranger does not guess on, not even rightly"
        )
        assert self.enters(home, who), "the owner's own browser goes in"

    def test_nor_by_guessing_from_the_owners_own_address(self) -> None:
        who = someone()
        home = sign_in(who)
        home.post("/accounts/logout/")
        pages = [self.guess(Client(), who) for _ in range(7)]
        assert "Wait 15 seconds" in pages[5] or "Wait 14 seconds" in pages[5]
        assert self.enters(home, who)

    def test_an_owner_with_a_new_browser_comes_in_by_a_letter(self) -> None:
        who, new = someone(), Client()
        for _ in range(7):
            self.guess(new, who)
        assert not self.enters(new, who)
        new.post("/accounts/password/reset/", {"email": who.email})
        link = re.search(r"http://testserver(/\S+)", str(mail.outbox[-1].body))
        assert link
        page = new.get(link[1], follow=True).redirect_chain[-1][0]
        new.post(page, {"password1": "another-pass-9", "password2": "another-pass-9"})
        new.post("/accounts/login/", {"login": who.email, "password": "another-pass-9"})
        assert new.get("/orders/").status_code == 200

    def test_a_copied_cookie_guesses_no_more_than_one_browser_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor does it begin anew when its thief signs in with an account of their own in between."""
        who, thief = someone(), someone()
        cookie, pages = sign_in(who).cookies["known"].value, []
        for number in range(3):
            hand = Client()
            hand.cookies["known"] = cookie
            pages += [self.guess(hand, who) for _ in range(9)]
            cache.clear()
            # Signed at another second, as it would be.
            monkeypatch.setattr(signing.TimestampSigner, "timestamp", lambda self, at=number: f"1xXhZ{at}")
            assert self.enters(hand, thief)
            monkeypatch.undo()
            cookie = hand.cookies["known"].value
        assert any("Too many wrong tries" in page for page in pages)

    def test_a_made_up_cookie_is_a_strangers(self) -> None:
        who, thief = someone(), Client()
        for number in range(7):
            thief.cookies["known"] = signing.dumps(
                {str(who.pk): 0}, key=f"guessed-{number}", salt="crossdock.known_browser"
            )
            page = self.guess(thief, who)
        assert "Too many wrong tries" in page

    def test_a_known_browser_may_not_guess_on_either(self) -> None:
        who = someone()
        home = sign_in(who)
        home.post("/accounts/logout/")
        pages = [self.guess(home, who) for _ in range(12)]
        assert "Too many wrong tries" in pages[-1]
        assert not self.enters(home, who)

    def test_one_s_own_right_password_buys_no_guesses_at_others(self) -> None:
        now, waited = datetime.now(UTC), 0
        for number in range(60):
            at = now + timedelta(seconds=number)
            waited += bool(begin_try(sources(email=f"o{number}@x.test", address="192.0.2.1", known_as=""), now=at))
            mine = sources(email="mine@x.test", address="192.0.2.1", known_as="")
            if not begin_try(mine, now=at):
                end_well(mine, now=at)
        assert waited > 20

    def test_nothing_that_is_kept_elsewhere_throws_the_count_out(self) -> None:
        who = someone()
        for _ in range(7):
            self.guess(Client(), who)
        cache.clear()
        assert "Too many wrong tries" in self.guess(Client(), who)
        assert settings_of_production()["CACHES"]["default"]["OPTIONS"]["MAX_ENTRIES"] >= 100_000

    def test_the_wait_grows_to_a_quarter_of_an_hour_and_is_forgotten(self) -> None:
        waits = [wait_after(failures, 5).total_seconds() for failures in range(4, 14)]
        assert waits == [0, 15, 30, 60, 120, 240, 480, 900, 900, 900]
        now = datetime.now(UTC)
        alone = [Source("x", 1)]
        assert [begin_try(alone, now=now + timedelta(seconds=at)) for at in (0, 1, 15, 16)] == [0, 14, 0, 29]
        assert begin_try(alone, now=now + timedelta(hours=25)) == 0
        assert SignInTry.objects.get().failures == 1
        assert begin_try([Source("y", 1)], now=now + timedelta(hours=60)) == 0
        assert SignInTry.objects.count() == 1, "old ones are swept"

    def test_no_address_stands_in_the_table(self) -> None:
        who = someone()
        self.guess(Client(), who)
        assert who.email not in str([*SignInTry.objects.values()])


def settings_of_production() -> dict[str, Any]:
    import crossdock.settings

    return vars(crossdock.settings)


class TestWhoIsRegistered:
    def test_signing_up_tells_it_to_the_mailbox_alone(self, settings: Any) -> None:
        settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
        who = someone()
        answers = []
        for email in (who.email, "nobody-yet@example.test"):
            answer = Client().post("/accounts/signup/", {"email": email, "password1": "a-long-pass-9"}, follow=True)
            page = re.sub(r'value="\w{64}"', "", answer.content.decode()).replace(email, "EMAIL")
            answers.append((answer.redirect_chain, page))
        assert answers[0] == answers[1]
        assert [message.to for message in mail.outbox] == [[who.email], ["nobody-yet@example.test"]]
        assert "already" in str(mail.outbox[0].body)
        assert User.objects.get(pk=who.pk).check_password(PASSWORD)
