"""Staff sign in by an identity provider on real HTTP: who comes in, who does not, and every lie of a token."""

import http.client
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from crossdock.cli.doctor import outside
from crossdock.cli.doctor.finding import State
from crossdock.identity import Oidc
from crossdock.store.models import AuditEntry, User
from crossdock.usecases.accounts.idp.binding import unbind
from crossdock.usecases.accounts.staffing import set_roles
from crossdock.usecases.errors import Invalid
from crossdock.web.signin.identity.provider import ProviderTrouble, provider_of
from identity_provider import CLIENT, SECRET, IdentityProvider, Person, running
from market import seller as a_seller
from market import user

pytestmark = pytest.mark.django_db
BACK = "/accounts/identity/back/"


@pytest.fixture
def there(settings: Any) -> Iterator[IdentityProvider]:
    with running() as provider:
        settings.OIDC = Oidc(provider.issuer, "Ember Ltd", CLIENT, SECRET)
        settings.STAFF_SECOND_FACTOR = True
        yield provider
    provider_of.cache_clear()


@pytest.fixture
def zoe() -> User:
    return user("zoe@example.test", is_staff=True, roles="admin")


def sent_to(client: Client, then: str = "") -> str:
    """Where the browser goes."""
    answer = client.get("/accounts/identity/", {"next": then} if then else {})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def yes(url: str) -> str:
    """The person signs in there; where the browser is sent back to, from the path on."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    connection.close()
    home = urlsplit(answer.getheader("Location") or "")
    assert home.path == BACK
    return f"{home.path}?{home.query}"


def sign_in(client: Client, then: str = "") -> Any:
    return client.get(yes(sent_to(client, then)))


def who(client: Client) -> User | None:
    found = client.session.get("_auth_user_id")
    return User.objects.get(pk=found) if found else None


def refusals() -> list[str]:
    return list(AuditEntry.objects.filter(action="sign-in failed").order_by("pk").values_list("detail__why", flat=True))


class TestComingIn:
    def test_somebody_of_staff_comes_in_and_is_bound(self, there: IdentityProvider, zoe: User) -> None:
        client = Client()
        answer = sign_in(client, "/staff/cases/")
        assert (answer.status_code, answer["Location"]) == (302, "/staff/cases/")
        assert who(client) == zoe
        zoe.refresh_from_db()
        assert zoe.identity == f"{there.issuer} s-1"
        actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
        assert actions == ["bound to the identity provider", "signed in"]
        assert AuditEntry.objects.get(action="signed in").detail["how"] == "identity provider"
        # By default the second factor of this house is still asked.
        assert client.get("/staff/")["Location"] == "/accounts/2fa/"

    def test_a_changed_address_there_changes_nothing(self, there: IdentityProvider, zoe: User) -> None:
        sign_in(Client())
        there.person = Person("s-1", "zoe.new@example.test")
        client = Client()
        sign_in(client)
        assert who(client) == zoe

    def test_a_second_factor_there_counts_only_if_the_operator_says_so(
        self, there: IdentityProvider, zoe: User, settings: Any
    ) -> None:
        there.person.amr = ("pwd", "mfa")
        client = Client()
        sign_in(client)
        assert client.get("/staff/").status_code == 302
        settings.OIDC = replace(settings.OIDC, second_factor=frozenset({"mfa"}))
        client = Client()
        sign_in(client)
        assert client.get("/staff/").status_code == 200
        there.person.amr = ("pwd",)
        client = Client()
        sign_in(client)
        assert client.get("/staff/").status_code == 302

    def test_an_app_set_up_here_is_asked_at_the_sign_in(
        self, there: IdentityProvider, zoe: User, settings: Any
    ) -> None:
        TOTP.activate(zoe, generate_totp_secret())
        client = Client()
        assert sign_in(client)["Location"].startswith("/accounts/2fa/authenticate/") and who(client) is None
        settings.OIDC = replace(settings.OIDC, second_factor=frozenset({"mfa"}))
        there.person.amr = ("mfa",)
        client = Client()
        sign_in(client)
        assert who(client) == zoe and client.get("/staff/").status_code == 200

    def test_the_secret_in_the_form_and_new_keys_there(self, there: IdentityProvider, zoe: User) -> None:
        there.basic = False
        client = Client()
        sign_in(client)
        assert who(client) == zoe and there.asked.count("/keys") == 1
        there.key, there.kid = rsa.generate_private_key(65537, 2048), "k2"
        provider_of(_oidc())._keys_at -= 60
        client = Client()
        sign_in(client)
        assert who(client) == zoe and there.asked.count("/keys") == 2
        assert there.asked.count("/.well-known/openid-configuration") == 1, "what it says of itself is kept"

    def test_next_leads_to_this_site_alone(self, there: IdentityProvider, zoe: User) -> None:
        assert sign_in(Client(), "https://evil.example/")["Location"] == "/staff/"


def _oidc() -> Oidc:
    from django.conf import settings

    found: Oidc = settings.OIDC
    return found


class TestNobodyElse:
    def test_no_account_is_made(self, there: IdentityProvider, zoe: User) -> None:
        there.person = Person("s-9", "stranger@example.test")
        client = Client()
        answer = sign_in(client)
        assert answer.status_code == 403 and "Nobody works here under your address" in answer.content.decode()
        assert who(client) is None and User.objects.count() == 1 and refusals()

    def test_sellers_and_buyers_are_told_where_to_go(self, there: IdentityProvider) -> None:
        for person in (user("sam@example.test"), a_seller().owner):
            there.person = Person(f"s-{person.pk}", person.email)
            client = Client()
            assert "This way in is for staff" in sign_in(client).content.decode() and who(client) is None
            person.refresh_from_db()
            assert person.identity == ""

    @pytest.mark.parametrize("said", [False, None, "yes", 1, [True]])
    def test_an_address_that_is_not_proved_there(self, there: IdentityProvider, zoe: User, said: Any) -> None:
        there.lie = {"email_verified": said}
        client = Client()
        answer = sign_in(client)
        # 1 == True in Python, and is no `true` of JSON.
        assert answer.status_code == 403 and who(client) is None, said
        assert "did not say that your e-mail address is confirmed" in answer.content.decode()

    def test_another_person_there_with_the_same_address(self, there: IdentityProvider, zoe: User) -> None:
        sign_in(Client())
        there.person = Person("s-2", "zoe@example.test")
        client = Client()
        answer = sign_in(client)
        assert answer.status_code == 403 and "belongs to somebody else there" in answer.content.decode()
        assert who(client) is None
        unbind(email="zoe@example.test", now=_now())
        sign_in(client)
        assert who(client) == zoe
        with pytest.raises(Invalid, match="not bound"):
            unbind(email=user().email, now=_now())

    def test_who_left_or_is_suspended(self, there: IdentityProvider, zoe: User) -> None:
        user("head@example.test", is_staff=True, roles="admin")
        client = Client()
        sign_in(client)
        set_roles(email=zoe.email, give=[], take=["admin"], now=_now())
        assert client.get("/staff/").status_code in (302, 404) and "for staff" in sign_in(Client()).content.decode()
        User.objects.filter(pk=zoe.pk).update(is_staff=True, roles="admin", is_active=False)
        assert "suspended" in sign_in(Client()).content.decode()


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()


class TestLies:
    @pytest.mark.parametrize(
        "lie",
        [
            {"iss": "https://evil.example"},
            {"aud": "another-client"},
            {"aud": [CLIENT, "another-client"]},
            {"aud": [CLIENT, "another-client"], "azp": "another-client"},
            {"azp": "another-client"},
            {"exp": int(time.time()) - 3600},
            {"exp": None},
            {"iat": int(time.time()) + 3600},
            {"nonce": "of another sign-in"},
            {"nonce": None},
            {"sub": ""},
            {"sub": None},
            {"sub": "s" * 300},
        ],
        ids="-".join,
    )
    def test_of_the_claims(self, there: IdentityProvider, zoe: User, lie: dict[str, Any]) -> None:
        there.lie = lie
        client = Client()
        answer = sign_in(client)
        assert answer.status_code == 403 and "cannot be believed" in answer.content.decode()
        assert who(client) is None and len(refusals()) == 1

    def test_of_the_signature(self, there: IdentityProvider, zoe: User) -> None:
        stranger = rsa.generate_private_key(65537, 2048)
        public = there.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for sign in (
            (None, "none", "k1"),
            (stranger, "RS256", "k1"),
            (stranger, "RS256", "nobody's"),
            (public, "HS256", "k1"),
            (SECRET.encode(), "HS256", "k1"),
        ):
            there.sign = sign
            client = Client()
            assert sign_in(client).status_code == 403 and who(client) is None, sign
        there.sign = None
        client = Client()
        sign_in(client)
        assert who(client) == zoe, "the same without a lie"

    def test_an_answer_is_good_once_and_in_its_browser(self, there: IdentityProvider, zoe: User) -> None:
        owner, thief = Client(), Client()
        home = yes(sent_to(owner))
        assert "not begun in this browser" in thief.get(home).content.decode() and who(thief) is None
        owner.get(home)
        assert who(owner) == zoe
        owner.post("/accounts/logout/")
        assert "not begun in this browser" in owner.get(home).content.decode() and who(owner) is None
        # A code that was stolen on its way is worth nothing in a sign-in that the thief begins: PKCE.
        stolen = parse_qs(urlsplit(yes(sent_to(owner))).query)["code"][0]
        mine = parse_qs(urlsplit(sent_to(thief)).query)["state"][0]
        answer = thief.get(BACK, {"code": stolen, "state": mine})
        assert answer.status_code == 502 and who(thief) is None
        mine = parse_qs(urlsplit(sent_to(thief)).query)["state"][0]
        answer = thief.get(BACK, {"code": "x", "state": mine, "iss": "https://evil.example"})
        assert answer.status_code == 403 and who(thief) is None

    def test_somebody_says_no_or_the_provider_is_away(self, there: IdentityProvider, zoe: User) -> None:
        client = Client()
        state = parse_qs(urlsplit(sent_to(client)).query)["state"][0]
        answer = client.get(BACK, {"error": "access_denied", "state": state})
        assert "You were not signed in at Ember Ltd (access_denied)" in answer.content.decode()
        provider_of.cache_clear()
        there.down = True
        answer = client.get("/accounts/identity/")
        assert answer.status_code == 502 and "does not work now" in answer.content.decode()

    def test_a_provider_that_calls_itself_otherwise(self, there: IdentityProvider) -> None:
        wrong = Oidc(there.issuer + "/", "Ember", CLIENT, SECRET)
        with pytest.raises(ProviderTrouble, match="calls itself"):
            provider_of(wrong).endpoints()


class TestAgain:
    def test_proving_it_anew(self, there: IdentityProvider, zoe: User, settings: Any) -> None:
        settings.OIDC = replace(settings.OIDC, second_factor=frozenset({"mfa"}))
        there.person.amr = ("mfa",)
        client = Client()
        sign_in(client)
        _forget(client)
        asked = client.post("/accounts/sessions/end/")
        assert asked.status_code == 403 and "/accounts/identity/" in asked.content.decode()
        there.lie = {"auth_time": int(time.time()) - 3600}
        assert sign_in(client, "/accounts/2fa/").status_code == 403
        assert client.post("/accounts/sessions/end/").status_code == 403, "an old proof is none"
        there.lie = {}
        there.person = Person("s-7", "kim@example.test", amr=("mfa",))
        user("kim@example.test", is_staff=True, roles="admin")
        assert "somebody else there than here" in sign_in(client).content.decode()
        assert client.post("/accounts/sessions/end/").status_code == 403 and who(client) == zoe
        there.person = Person("s-1", "zoe@example.test", amr=("mfa",))
        assert sign_in(client, "/accounts/2fa/")["Location"] == "/accounts/2fa/"
        assert client.post("/accounts/sessions/end/").status_code == 302


def _forget(client: Client) -> None:
    """An hour later."""
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": record["at"] - 3600} for record in session["account_authentication_methods"]
    ]
    session.save()


class TestByItAlone:
    def test_a_password_opens_nothing_but_for_those_named(
        self, there: IdentityProvider, zoe: User, settings: Any
    ) -> None:
        head = user("head@example.test", is_staff=True, roles="admin")
        sam = user("sam@example.test")
        settings.OIDC = replace(settings.OIDC, only=True, password_for=frozenset({"head@example.test"}))
        for person, comes_in in ((zoe, False), (head, True), (sam, True)):
            client = Client()
            answer = client.post("/accounts/login/", {"login": person.email, "password": "pass-word-1"})
            assert (who(client) == person) is comes_in, person
            assert comes_in or "Staff sign in by Ember Ltd" in answer.content.decode()
        client = Client()
        client.force_login(zoe)
        assert client.get("/staff/")["Location"].startswith("/accounts/identity/"), "a session from before"
        sign_in(client)
        assert client.get("/staff/")["Location"] == "/accounts/2fa/"

    def test_off_it_costs_nothing(self, zoe: User, settings: Any) -> None:
        assert settings.OIDC is None
        client = Client()
        assert client.get("/accounts/identity/").status_code == client.get(BACK).status_code == 404
        assert "identity" not in client.get("/accounts/login/").content.decode()


def test_the_doctor_asks_the_provider(there: IdentityProvider, settings: Any) -> None:
    config: Any = SimpleNamespace(oidc=settings.OIDC, oidc_issuer=there.issuer, oidc_only=True, oidc_password_for=())
    assert [found.state for found in outside.identity(config)] == [State.OK, State.LOOK]
    assert there.asked == ["/.well-known/openid-configuration", "/keys"], "nobody is signed in"
    config.oidc_only, there.down = False, True
    (found,) = outside.identity(config)
    assert found.state is State.FIX and "it answered 503" in str(found)
    config.oidc = None
    assert list(outside.identity(config)) == []
