"""What a thief with a stolen session gets: nothing. Proving again, second factors, and sessions that really end."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver
from tests.web.test_walls import PANEL, STAFF, House, _furnished

from crossdock.store.models import ApiToken, AuditEntry, Credit, Endpoint, PolicySwitch, User
from crossdock.store.vault import unseal
from crossdock.usecases.accounts.sessions import end_all_sessions, remove_second_factor
from crossdock.usecases.errors import Invalid
from market import seller as a_seller
from market import user
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
PASSWORD = "pass-word-1"
QUARTER = 15 * 60
KEYS = [*settings.VAULT_KEYS]

# What asks again who it is. A name that is not here can be sent with a session alone: think before you leave one out.
ASKING = {
    "account_data_copy",
    "account_data_file",
    "account_data_leave",
    "account_email",
    "account_session_end",
    "account_sessions_end",
    "seller_payout_account",
    "seller_team",
    "seller_team_send",
    "seller_team_withdraw",
    "seller_team_role",
    "seller_team_remove",
    "seller_team_hand_over",
    "seller_tokens",
    "seller_token_revoke",
    "seller_connect_way",
    "seller_attempt",
    "seller_shop_disconnect",
    "seller_webhooks",
    "seller_webhook",
    "seller_webhook_rotate",
    "seller_webhook_deed",
    "staff_act",
    "staff_data_run",
    "staff_person_copy",
    "staff_person_leave",
    "staff_commission",
    "staff_commission_end",
    "staff_commission_new",
    "staff_dispute",
    "staff_credit",
    "staff_credit_retry",
    "staff_order_credit",
    "staff_payout_hold",
    "staff_rule",
    "seller_before_details",
    "seller_before_document",
    "staff_approval",
    "staff_approval_document",
    "staff_seller_quotas",
    "staff_seller_sales",
    "staff_token_resume",
    "staff_token_revoke",
    "staff_token_updates",
    "staff_tokens",
}


ACCOUNT = {
    "account_data_copy": "/accounts/data/copy/",
    "account_data_file": "/accounts/data/none/file/",
    "account_data_leave": "/accounts/data/leave/",
    "account_email": "/accounts/email/",
    "account_session_end": "/accounts/sessions/1/end/",
    "account_sessions_end": "/accounts/sessions/end/",
}


@pytest.fixture
def house() -> Iterator[House]:
    with dropped_in():
        yield _furnished()


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    cache.clear()


def someone(**fields: object) -> User:
    made = user(**fields)
    EmailAddress.objects.create(user=made, email=made.email, primary=True, verified=True)
    return made


def signed_in(who: User, *, ago: float = 0) -> Client:
    client = Client()
    client.force_login(who)
    if ago:
        age(client, ago)
    return client


def age(client: Client, seconds: float) -> None:
    """The session was proved so long ago."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {**record, "at": record["at"] - seconds} for record in session[AUTHENTICATION_METHODS_SESSION_KEY]
    ]
    session.save()


def code_of(secret: str, *, step: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def set_up(client: Client) -> str:
    """An authenticator app, through the pages. The secret as a person copies it."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'data-copy="([A-Z2-7]+)"', page)
    assert found
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(found[1])})
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_view_recovery_codes"))
    return found[1]


def sign_in(who: User, **how: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": who.email, "password": PASSWORD}, **how)
    return client


def asking(found: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    for entry in found if found is not None else get_resolver().url_patterns:
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from asking(entry.url_patterns)
        elif getattr(entry.callback, "asks_again", False):
            yield str(entry.name)


class TestAStolenSession:
    def test_what_asks_again_is_this_list(self) -> None:
        assert set(asking()) == ASKING

    def test_alone_it_takes_nothing(self, house: House) -> None:
        """Every address of the list, with a session whose owner proved themselves too long ago."""
        owner, staff = signed_in(house.owner, ago=QUARTER + 1), signed_in(someone(is_staff=True), ago=QUARTER + 1)
        before = _everything()
        for name in sorted(ASKING):
            path = ACCOUNT.get(name) or {**PANEL, **STAFF}[name][0].format(**house.urls)
            client = staff if name.startswith("staff_") else owner
            form = {"name": "mine", "url": "https://thief.test/", "amount": "1", "email": "thief@example.test"}
            answer = client.post(path, {**form, "deed": "delete", "why": "?", "action_add": "", "decision": "grant"})
            assert answer.status_code == 403, name
            assert "Is it you?" in answer.content.decode(), name
            assert answer["Cache-Control"].find("no-store") >= 0, name
        assert _everything() == before
        assert "acting" not in staff.session

    def test_what_guards_the_account_asks_before_it_opens(self) -> None:
        who = someone()
        client = signed_in(who)
        set_up(client)
        age(client, QUARTER + 1)
        for name in (
            "mfa_deactivate_totp",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "mfa_download_recovery_codes",
            "mfa_add_webauthn",
        ):
            answer = client.get(reverse(name))
            assert (answer.status_code, "reauthenticate" in answer["Location"]) == (302, True), name
            sent = client.post(reverse(name), {"next": "/"})
            assert sent.status_code == 405 or "reauthenticate" in sent["Location"], name
        assert Authenticator.objects.filter(user=who).count() == 2

    def test_the_admin_takes_no_form_from_it(self) -> None:
        client = signed_in(someone(is_staff=True, is_superuser=True), ago=QUARTER + 1)
        answer = client.post("/admin/store/apitoken/add/", {"name": "mine", "seller": ""})
        assert answer.status_code == 403
        assert not ApiToken.objects.exists()

    def test_just_before_the_quarter_is_over_nothing_is_asked(self) -> None:
        shop = a_seller()
        signed_in(shop.owner, ago=QUARTER - 60).post("/seller/tokens/", {"name": "packing"})
        assert ApiToken.objects.filter(seller=shop).count() == 1


def _everything() -> list[object]:
    tables = (ApiToken, Endpoint, Credit, PolicySwitch, AuditEntry, EmailAddress)
    return [sorted(map(repr, table.objects.values())) for table in tables]


class TestProvingItAgain:
    def test_the_form_goes_on_with_the_password_beside_it(self) -> None:
        shop = a_seller()
        client = signed_in(shop.owner, ago=QUARTER + 1)
        page = client.post("/seller/tokens/?from=here", {"name": 'pack "ing" <b>'}).content.decode()
        assert 'action="/seller/tokens/?from=here"' in page
        hidden = {
            name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
        }
        assert hidden.pop("csrfmiddlewaretoken")
        assert hidden == {"name": 'pack "ing" <b>'}, "what was sent, and nothing else"
        answer = client.post("/seller/tokens/", {**hidden, "again_password": PASSWORD})
        assert answer.status_code == 200
        assert ApiToken.objects.get(seller=shop).name == 'pack "ing" <b>'
        client.post("/seller/tokens/", {"name": "second"})
        assert ApiToken.objects.filter(seller=shop).count() == 2, "not asked a second time"

    def test_a_copied_session_ends_when_its_owner_proves_it_again(self) -> None:
        owner = a_seller().owner
        mine, thief = sign_in(owner), Client()
        age(mine, QUARTER + 1)
        thief.cookies["session"] = mine.cookies["session"].value
        assert thief.get("/seller/tokens/").status_code == 200
        mine.post("/seller/tokens/", {"name": "x", "again_password": PASSWORD})
        assert thief.get("/seller/tokens/").status_code == 302
        assert mine.get("/seller/tokens/").status_code == 200
        assert UserSession.objects.get().session_key == mine.session.session_key

    def test_several_values_of_one_name_come_back(self) -> None:
        client = signed_in(a_seller().owner, ago=QUARTER + 1)
        page = client.post("/seller/webhooks/", {"url": "https://a.test/", "events": ["order.placed", "order.paid"]})
        assert re.findall(r'name="events" value="([^"]+)"', page.content.decode()) == ["order.placed", "order.paid"]

    def test_a_wrong_password_does_nothing_and_is_counted(self) -> None:
        shop = a_seller()
        client = signed_in(shop.owner, ago=QUARTER + 1)
        pages = [
            client.post("/seller/tokens/", {"name": "x", "again_password": "wrong"}).content.decode() for _ in range(12)
        ]
        assert "That is not your password." in pages[0]
        assert "wrong" not in pages[0].split("<main")[1], "it is not drawn again"
        assert "That was tried too often" in pages[-1] or "Too many" in pages[-1]
        assert client.post("/seller/tokens/", {"name": "x", "again_password": PASSWORD}).status_code == 403
        assert not ApiToken.objects.exists()

    def test_nobody_elses_password_will_do(self) -> None:
        other = user()
        other.set_password("another-pass-9")
        other.save()
        client = signed_in(a_seller().owner, ago=QUARTER + 1)
        assert client.post("/seller/tokens/", {"name": "x", "again_password": "another-pass-9"}).status_code == 403

    def test_a_code_of_the_app_will_do_and_works_once(self) -> None:
        shop = a_seller()
        EmailAddress.objects.create(user=shop.owner, email=shop.owner.email, primary=True, verified=True)
        client = signed_in(shop.owner)
        secret = set_up(client)
        age(client, QUARTER + 1)
        code = code_of(secret)
        client.post("/seller/tokens/", {"name": "x", "again_code": code})
        assert ApiToken.objects.count() == 1
        age(client, QUARTER + 1)
        assert client.post("/seller/tokens/", {"name": "y", "again_code": code}).status_code == 403
        assert ApiToken.objects.count() == 1

    def test_no_view_sees_the_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from crossdock.web.seller import tokens

        seen: list[dict[str, Any]] = []
        before = tokens.TokenForm.__init__

        def spy(form: Any, data: Any = None, *rest: Any, **more: Any) -> None:
            seen.append(dict(data or {}))
            before(form, data, *rest, **more)

        monkeypatch.setattr(tokens.TokenForm, "__init__", spy)
        client = signed_in(a_seller().owner, ago=QUARTER + 1)
        client.post("/seller/tokens/", {"name": "x", "again_password": PASSWORD})
        client.post("/seller/tokens/", {"name": "x", "again_password": PASSWORD})
        assert {"name": ["x"]} in seen
        assert not any("again_password" in form for form in seen)

    def test_acting_as_a_seller_is_not_walked_around_by_it(self) -> None:
        """Sent as oneself, proved while acting: the wall stands in front of the second form as well."""
        staff, shop = someone(is_staff=True), a_seller()
        client = signed_in(staff)
        client.post(f"/staff/sellers/{shop.public_id}/act/", {"why": "asked for it"})
        age(client, QUARTER + 1)
        answer = client.post("/seller/tokens/", {"name": "x", "again_password": PASSWORD})
        assert "While you act as" in answer.content.decode()
        assert not ApiToken.objects.exists()

    def test_a_real_sign_in_counts_and_grows_old(self) -> None:
        shop = a_seller()
        client = sign_in(shop.owner)
        client.post("/seller/tokens/", {"name": "x"})
        assert ApiToken.objects.count() == 1
        age(client, QUARTER + 1)
        assert client.post("/seller/tokens/", {"name": "y"}).status_code == 403

    def test_a_new_account_has_just_typed_its_password(self) -> None:
        client = Client()
        client.post("/accounts/signup/", {"email": "new@example.test", "password1": "a-long-pass-9"})
        assert client.post("/accounts/email/", {"email": "newer@example.test", "action_add": ""}).status_code == 302


class TestTheSecondFactor:
    @pytest.fixture(autouse=True)
    def _demanded(self, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR = True

    def test_without_one_no_page_of_staff_opens(self, house: House) -> None:
        client = signed_in(someone(is_staff=True, is_superuser=True))
        before = _everything()
        for name, (path, method, _) in STAFF.items():
            answer = getattr(client, method)(path.format(**house.urls))
            assert (answer.status_code, answer.get("Location")) == (302, reverse("mfa_index")), name
        for path in ("/admin/", "/admin/store/order/", "/admin/store/apitoken/add/"):
            assert client.get(path)["Location"] == reverse("mfa_index"), path
            assert client.post(path, {"name": "x"})["Location"] == reverse("mfa_index"), path
        assert _everything() == before

    def test_setting_one_up_opens_them_and_the_next_sign_in_takes_a_code(self) -> None:
        staff = someone(is_staff=True)
        client = sign_in(staff)
        page = client.get("/staff/", follow=True).content.decode()
        assert "Staff need a second factor" in page
        assert "/accounts/2fa/totp/activate/" in page
        secret = set_up(client)
        assert client.get("/staff/").status_code == 200
        again = Client()
        answer = again.post("/accounts/login/", {"login": staff.email, "password": PASSWORD})
        assert answer["Location"] == reverse("mfa_authenticate")
        assert again.get("/staff/")["Location"].startswith("/accounts/login/"), "half signed in is not signed in"
        assert again.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
        assert again.get("/staff/")["Location"].startswith("/accounts/login/")
        cache.clear()
        again.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
        assert again.get("/staff/").status_code == 200

    def test_a_session_from_before_is_asked_for_the_code(self) -> None:
        staff = someone(is_staff=True)
        before = signed_in(staff)
        set_up(signed_in(staff))
        answer = before.get("/staff/credits/?which=all")
        assert answer["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fstaff%2Fcredits%2F%3Fwhich%3Dall"
        answer = before.post("/staff/act/end/")
        assert answer["Location"].endswith("?next=%2Fstaff%2F"), "a form's address cannot be opened"

    def test_after_twelve_hours_staff_use_it_again(self) -> None:
        client = signed_in(someone(is_staff=True))
        secret = set_up(client)
        age(client, 12 * 3600 - 60)
        assert client.get("/staff/").status_code == 200
        age(client, 61)
        assert client.get("/staff/")["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fstaff%2F"
        cache.clear()
        before = client.session.session_key
        answer = client.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret), "next": "/staff/"})
        assert answer["Location"] == "/staff/"
        assert client.get("/staff/").status_code == 200
        assert client.session.session_key != before, "proved again, under a new name"

    def test_a_password_set_by_letter_does_not_walk_around_it(self) -> None:
        staff = someone(is_staff=True)
        set_up(signed_in(staff))
        other = Client()
        other.post("/accounts/password/reset/", {"email": staff.email})
        link = re.search(r"http://testserver(/\S+/reset/key/\S+)", str(mail.outbox[-1].body))
        assert link
        page = other.get(link[1], follow=True).redirect_chain[-1][0]
        other.post(page, {"password1": "another-pass-9", "password2": "another-pass-9"})
        assert other.get("/orders/").status_code == 302
        answer = other.post("/accounts/login/", {"login": staff.email, "password": "another-pass-9"})
        assert answer["Location"] == reverse("mfa_authenticate")
        assert other.get("/orders/").status_code == other.get("/staff/").status_code == 302

    def test_who_takes_theirs_off_is_outside_again(self) -> None:
        client = signed_in(someone(is_staff=True))
        set_up(client)
        client.post(reverse("mfa_deactivate_totp"))
        assert not Authenticator.objects.exists(), "the recovery codes end with it"
        assert client.get("/staff/")["Location"] == reverse("mfa_index")

    def test_a_recovery_code_opens_once(self) -> None:
        staff = someone(is_staff=True)
        client = signed_in(staff)
        set_up(client)
        codes = re.findall(r"<code>(\d{8})</code>", client.get(reverse("mfa_view_recovery_codes")).content.decode())
        assert len(codes) == len(set(codes)) == 10
        for opened in (True, False):
            other = sign_in(staff)
            other.post(reverse("mfa_authenticate"), {"code": codes[0]})
            assert (other.get("/staff/").status_code == 200) is opened
        assert "9 unused codes" in client.get(reverse("account_security")).content.decode()

    def test_its_secrets_are_encrypted_at_rest(self) -> None:
        client = signed_in(someone())
        client.get(reverse("mfa_activate_totp"))
        pending = client.session[SECRET_SESSION_KEY]
        assert re.fullmatch(r"[A-Z2-7]{32}", unseal(pending.encode())["secret"])
        secret = set_up(client)
        assert SECRET_SESSION_KEY not in client.session
        kept = {row.type: row.data for row in Authenticator.objects.all()}
        assert unseal(kept["totp"]["secret"].encode())["secret"] == secret
        assert secret not in str(kept)
        assert len(unseal(kept["recovery_codes"]["seed"].encode())["secret"]) == 80

    def test_a_lost_key_is_a_sentence(self, settings: Any) -> None:
        staff = someone(is_staff=True)
        set_up(signed_in(staff))
        settings.VAULT_KEYS = [Fernet.generate_key().decode()]
        half = sign_in(staff)
        answer = half.post(reverse("mfa_authenticate"), {"code": "123456"})
        assert "a key that this marketplace no longer has" in unescape(answer.content.decode())
        assert signed_in(staff).get(reverse("account_security")).status_code == 200

    def test_nobody_sets_one_up_for_an_address_that_is_not_proved(self) -> None:
        who = user()
        EmailAddress.objects.create(user=who, email=who.email, primary=True, verified=False)
        client = signed_in(who)
        for name in ("mfa_activate_totp", "mfa_add_webauthn"):
            assert client.get(reverse(name))["Location"] == reverse("account_email")
            assert client.post(reverse(name), {"code": "1"})["Location"] == reverse("account_email")

    def test_the_address_can_be_changed_with_one(self) -> None:
        client = signed_in(someone())
        set_up(client)
        client.post("/accounts/email/", {"email": "new@example.test", "action_add": ""})
        assert EmailAddress.objects.filter(email="new@example.test", verified=False).exists()

    def test_nobody_looks_at_them_in_the_admin(self) -> None:
        client = signed_in(someone(is_staff=True, is_superuser=True))
        set_up(client)
        for table in ("mfa/authenticator", "usersessions/usersession", "account/emailaddress"):
            assert client.get(f"/admin/{table}/").status_code == 404, table


class TestSessions:
    def test_each_is_listed_with_its_browser_and_ended_alone(self) -> None:
        who = someone()
        mine = sign_in(who, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:1) Gecko/1 Firefox/140.0")
        agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 (KHTML) Version/18.0 Mobile Safari/604.1"
        phone = sign_in(who, HTTP_USER_AGENT=agent)
        third = sign_in(who, HTTP_USER_AGENT="curl/8.5")
        page = mine.get(reverse("account_security")).content.decode()
        for words in ("Firefox on Linux", "Safari on iPhone", "curl", "This browser"):
            assert words in page
        row = UserSession.objects.get(user_agent=agent)
        mine.post(reverse("account_session_end", args=[row.pk]))
        assert phone.get("/orders/").status_code == 302, "it is out"
        assert third.get("/orders/").status_code == mine.get("/orders/").status_code == 200

    def test_nobody_ends_another_persons(self) -> None:
        other = sign_in(someone())
        row = UserSession.objects.get()
        sign_in(someone()).post(reverse("account_session_end", args=[row.pk]))
        assert other.get("/orders/").status_code == 200

    def test_all_others_end_also_those_that_no_list_knows(self) -> None:
        who = someone()
        mine, listed, unknown, stranger = sign_in(who), sign_in(who), signed_in(who), sign_in(someone())
        UserSession.objects.filter(session_key=unknown.session.session_key).delete()
        mine.post(reverse("account_sessions_end"))
        assert [one.get("/orders/").status_code for one in (mine, listed, unknown, stranger)] == [200, 302, 302, 200]
        assert UserSession.objects.filter(user=who).count() == 1
        assert "This browser" in mine.get(reverse("account_security")).content.decode()
        assert AuditEntry.objects.filter(action="ended all sessions", person=who).count() == 1

    def test_a_new_password_ends_the_others(self) -> None:
        who = someone()
        mine, other = sign_in(who), sign_in(who)
        form = {"oldpassword": PASSWORD, "password1": "another-pass-9", "password2": "another-pass-9"}
        mine.post("/accounts/password/change/", form)
        assert [one.get("/orders/").status_code for one in (mine, other)] == [200, 302]

    def test_an_operator_ends_all_of_them(self) -> None:
        who = someone()
        mine = sign_in(who)
        end_all_sessions(email=who.email.upper(), now=datetime.now(UTC))
        assert mine.get("/orders/").status_code == 302

    def test_an_operator_removes_a_lost_second_factor(self) -> None:
        from crossdock.cli.vault import _reseal

        who = someone()
        mine = signed_in(who)
        secret = set_up(mine)
        fresh = Fernet.generate_key().decode()
        before = {row.pk: dict(row.data) for row in Authenticator.objects.all()}
        done, lost = _reseal([fresh, *settings.VAULT_KEYS], leave_lost=False)
        assert done >= 2 and lost == 0
        settings.VAULT_KEYS = [fresh]
        try:
            after = {row.type: row.data for row in Authenticator.objects.all()}
            assert unseal(after["totp"]["secret"].encode())["secret"] == secret
            assert after["recovery_codes"]["used_mask"] == 0
            assert before != {row.pk: row.data for row in Authenticator.objects.all()}
        finally:
            settings.VAULT_KEYS = KEYS
        remove_second_factor(email=who.email.upper(), now=datetime.now(UTC))
        assert not Authenticator.objects.exists()
        assert mine.get("/orders/").status_code == 302
        with pytest.raises(Invalid, match="has no second factor"):
            remove_second_factor(email=who.email, now=datetime.now(UTC))

    def test_the_field_alone_signed_nobody_out(self) -> None:
        from django.contrib.auth.base_user import AbstractBaseUser

        who = someone()
        assert who.get_session_auth_hash() == AbstractBaseUser.get_session_auth_hash(who)
        assert settings.SESSION_COOKIE_HTTPONLY
