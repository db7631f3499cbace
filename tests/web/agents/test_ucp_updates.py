"""What an agent's own program is told of its orders by the Universal Commerce Protocol: where its profile says, whole,
in order, signed with a key that the profile of this marketplace publishes. The signatures are checked by a library of
others' with the published key alone.
"""
# ruff: noqa: F811

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from http_message_signatures import HTTPMessageVerifier
from http_message_signatures.algorithms import ECDSA_P256_SHA256
from http_message_signatures.exceptions import InvalidSignature
from http_message_signatures.resolvers import MappingKeyResolver
from tests.web.agents.test_agents_updates import Bought, agents_token, sent
from tests.web.agents.test_ucp_checkouts import at, good, made, pay

from crossdock.cli.main import main
from crossdock.domain.agents import keys
from crossdock.engine.engine import Engine
from crossdock.kit.notify import Letter
from crossdock.notify.universal_commerce import base, signed
from crossdock.store.models import ApiToken, Command, Endpoint, ShippingRate, SigningKey
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.outcomes import signing_keys
from crossdock.usecases.outcomes.agents_told import follow_profile, resume_agent
from crossdock.web.agents.ucp import profiles
from market import World, user
from stall import engine, no_jobs, rest, sync  # noqa: F401
from ucp_agent import ALL, Host, UcpAgent, hosted, profile, wrong

MUST = ("@method", "@authority", "@path", "ucp-agent", "idempotency-key", "content-digest", "content-type")
# RFC 9421, B.1.3 (test-key-ecc-p256) and B.2.4.
RFC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "test-key-ecc-p256",
    "d": "UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs",
    "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
    "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
}
RFC_FIELDS = {
    "@status": "200",
    "content-type": "application/json",
    "content-digest": (
        "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
    ),
    "content-length": "23",
}
RFC_PARAMETERS = (
    '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"'
)
RFC_SIGNATURE = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AGENTS_UCP, settings.AGENTS, settings.ALLOW_LOCAL_SHOPS = True, False, True
    profiles.forget()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as found:
        yield found


def published() -> dict[str, Any]:
    """By its name each key that stands in this marketplace's profile, made of what stands there alone."""
    said = Client().get("/.well-known/ucp").json()
    assert wrong("profile", said) == []
    found = {}
    for jwk in said["signing_keys"]:
        assert jwk.keys() == {"kid", "kty", "crv", "x", "y", "use", "alg"}, "and nothing that is secret"
        x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "="), "big") for name in "xy")
        found[jwk["kid"]] = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return found


def check(url: str, headers: dict[str, str], body: bytes, by: dict[str, Any], *more: str) -> str:
    """Returns the name of the key. Raises InvalidSignature."""
    verifier = HTTPMessageVerifier(
        signature_algorithm=ECDSA_P256_SHA256, key_resolver=MappingKeyResolver(public_keys=by, private_keys={})
    )
    message = SimpleNamespace(method="POST", url=url, headers=headers)
    (found,) = verifier.verify(message, body=body, max_age=timedelta(minutes=5), require_components=(*MUST, *more))
    assert "alg" not in found.parameters, "the key says it"
    return str(found.parameters["keyid"])


@dataclass
class Receiver:
    """The platform's. `answers` are the statuses that it gives, the last one for ever."""

    base: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        # As the wire had it: what was sent to, under the name that was asked for.
        url = f"http://{request.headers['Host']}{request.raw_path}"
        self.got.append((url, dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def orders(self, by: dict[str, Any]) -> list[dict[str, Any]]:
        """Each by the protocol's own schema, after its signature."""
        found = []
        for url, headers, body in self.got:
            query = ("@query",) if "?" in url else ()
            assert check(url, headers, body, by, *query, "webhook-id", "webhook-timestamp") in by
            assert headers["UCP-Agent"].endswith('/.well-known/ucp"')
            order = json.loads(body)
            assert wrong("order", order) == []
            found.append(order)
        return found

    @property
    def ids(self) -> list[str]:
        return [headers["Webhook-Id"] for _, headers, _ in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    listening = Receiver()
    app = web.Application()
    app.router.add_post("/{any:.*}", listening.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listening.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listening
    await runner.cleanup()


def says(host: Host, told_at: Any, *names: str) -> None:
    """The platform's profile from now on, as if what was kept of it were old."""
    host.pages["/all"] = (200, profile(*(names or ALL), told_at=told_at))
    profiles.forget()


def bought(host: Host, told_at: str) -> Bought:
    worlds = [World(units=9, now=datetime.now(UTC)) for _ in range(2)]
    ShippingRate.objects.filter(seller=worlds[1].seller).update(price_minor=250)
    says(host, told_at)
    token, secret = agents_token()
    agent = UcpAgent(f"{host.address}/all", secret)
    session = made(agent, worlds)
    good(agent.post(at(session, "/complete"), pay()))
    endpoint = Endpoint.objects.filter(token=token).first()
    return Bought(agent, session, worlds, endpoint)  # type: ignore[arg-type]


def order_of(one: Bought) -> dict[str, Any]:
    intent = one.orders[0].intent
    assert intent is not None
    return good(one.agent.get(f"/orders/{intent.public_id}"), shape="order")


@pytest.mark.django_db(transaction=True)
async def test_each_change_is_pushed_once_whole_and_signed(
    engine: Engine, receiver: Receiver, no_jobs: list[int], host: Host
) -> None:
    receiver.answers = [503, 200]
    one = await sync(bought, host, f"{receiver.base}/ucp/orders%20in?of=x&y=%C3%A9")
    await sent(engine, one)
    await sync(one.reject_first)
    await sent(engine, one)
    await sync(one.ship_second)
    await sent(engine, one)
    by = await sync(published)
    lost, created, refused, shipped = receiver.orders(by)
    assert lost == created and receiver.ids[0] == receiver.ids[1] and len(set(receiver.ids)) == 3
    times = [headers["Webhook-Timestamp"] for _, headers, _ in receiver.got]
    assert times[0] == times[1] and sorted(times) == times
    assert [line["status"] for line in created["line_items"]] == ["processing"] * 2
    assert [line["status"] for line in refused["line_items"]] == ["removed", "processing"]
    assert [[one["amount"] for one in row["totals"]] for row in refused["adjustments"]] == [[-1500]]
    assert shipped == await sync(order_of, one), "the same as a reader gets"
    assert shipped["checkout_id"] == one.session["id"]
    everything = b" ".join(body for *_, body in receiver.got).lower()
    for word in ("zoe@elsewhere.test", "zoë", "müller", "elm st", "springfield", "12345"):
        assert word.encode() not in everything and word not in everything.decode()


@pytest.mark.django_db(transaction=True)
async def test_who_is_not_theirs_is_told_nothing_and_who_moves_is_told_there(
    engine: Engine, receiver: Receiver, no_jobs: list[int], host: Host
) -> None:
    receiver.answers = [410]
    one = await sync(bought, host, f"{receiver.base}/first")
    await sent(engine, one)
    assert (await sync(Endpoint.objects.get)).paused_at is not None
    other = await sync(bought, host, f"{receiver.base}/other")
    assert other.endpoint.pk != one.endpoint.pk
    receiver.answers = [200]
    await sent(engine, other)
    says(host, f"{receiver.base}/second")
    await sync(one.agent.get, at(one.session))
    await sync(order_of, one)
    await sent(engine, one)
    came = [(url.rpartition("/")[2], json.loads(body)["checkout_id"]) for url, _, body in receiver.got]
    mine, theirs = one.session["id"], other.session["id"]
    assert came == [("first", mine), ("other", theirs), ("second", mine)]
    says(host, "")
    await sync(order_of, one)
    await sync(one.ship_second)
    await rest(engine)
    assert len(receiver.got) == 3 and (await sync(lambda: Endpoint.objects.filter(deleted_at=None).count())) == 1


@pytest.mark.django_db
class TestFacts:
    def test_a_platform_without_a_webhook_is_told_nothing(self, host: Host) -> None:
        one = bought(host, "")
        one.ship_second()
        assert one.endpoint is None and not Command.objects.filter(kind="send_event").exists()
        names = [name for name in ALL if not name.endswith(".order")]
        says(host, "https://agent.test/hook", *names)
        good(one.agent.get(at(one.session)))
        made(one.agent, one.worlds)
        assert not Endpoint.objects.exists(), "it does not speak of orders at all"

    def test_a_webhook_that_cannot_be_called_is_said_at_once(self, host: Host, settings: Any) -> None:
        agent = UcpAgent(f"{host.address}/all", agents_token()[1])
        for url in ("ftp://agent.test/", "agent.test", 7, ["https://agent.test/"], "https://a.test/" + "x" * 500):
            says(host, url)
            answer = agent.post("/checkout-sessions", {"line_items": []})
            assert (answer.status_code, answer.json()["code"]) == (422, "profile_malformed"), url
            assert "webhook_url" in answer.json()["content"]
        assert not Endpoint.objects.exists()

    def test_a_profile_that_was_read_earlier_changes_nothing(self) -> None:
        token, now = agents_token()[0], datetime.now(UTC)
        new, old, seconds = "https://agent.test/new", "https://agent.test/old", timedelta(seconds=1)
        for url, read_at, then in (
            (old, now, old),
            (new, now + 2 * seconds, new),
            (old, now + seconds, new),
            ("", now + seconds, new),
            ("", now + 3 * seconds, None),
            (new, now + 2 * seconds, None),
            (new, now + 4 * seconds, new),
        ):
            follow_profile(token=token, url=url, read_at=read_at, now=now)
            assert list(Endpoint.objects.filter(deleted_at=None).values_list("url", flat=True)) == [then] * bool(then)
        assert Endpoint.objects.count() == 2

    def test_it_is_resumed_by_staff_and_ended_with_its_token(
        self, host: Host, capsys: pytest.CaptureFixture[str]
    ) -> None:
        one = bought(host, "https://agent.test/hook")
        staff = user(is_staff=True, is_superuser=True)
        Endpoint.objects.update(paused_at=datetime.now(UTC), paused_why="Paused by us: it answered 500.")
        token = ApiToken.objects.get(pk=one.endpoint.token_id)
        assert resume_agent(token=token, actor=staff, now=datetime.now(UTC)) == 1
        assert Endpoint.objects.get().paused_at is None
        with pytest.raises(Invalid):
            resume_agent(token=agents_token()[0], actor=staff, now=datetime.now(UTC))
        client = Client()
        client.force_login(staff)
        page = client.get("/staff/tokens/").content.decode()
        assert "agent.test is told of its orders" in page and 'value="agents"' in page

    def test_staff_read_what_was_sent_and_what_came_of_it(self, host: Host) -> None:
        one = bought(host, "https://agent.test/hook?key=hush")
        client = Client()
        client.force_login(user(is_staff=True, is_superuser=True))
        where = f"/staff/tokens/{one.endpoint.token_id}/updates/"
        assert where in client.get("/staff/tokens/").content.decode()
        page = client.get(where).content.decode()
        assert "On its way" in page and "agent.test" in page and "hush" not in page
        assert all(f"/staff/orders/{order.public_id}/" in page for order in one.orders)
        one.reject_first()
        Command.objects.filter(party_id=one.endpoint.party_id).update(
            state="done", result="refused", sentence="It answered 410.", attempts=3
        )
        Endpoint.objects.update(paused_at=datetime.now(UTC), paused_why="Paused by us: It answered 410.")
        with CaptureQueriesContext(connection) as asked:
            page = client.get(where).content.decode()
        assert page.count("Refused") == 2 and "3 tries." in page and "Resume" in page
        rows = ('SELECT "store_command"."id"', 'SELECT "store_order"."id"')
        assert len([one for one in asked if one["sql"].startswith(rows)]) == 2
        other = agents_token()[0]
        assert "Nothing yet" in client.get(f"/staff/tokens/{other.pk}/updates/").content.decode()

    def test_nothing_waits_while_it_is_off(self, host: Host, settings: Any) -> None:
        one = bought(host, "https://agent.test/hook")
        before = one.waiting
        settings.AGENTS_UCP = False
        one.reject_first()
        assert one.waiting == before == 1


@pytest.mark.django_db
class TestKeys:
    def test_the_first_is_made_once_and_nothing_secret_of_it_is_kept_open(self) -> None:
        assert published().keys() == published().keys() and SigningKey.objects.count() == 1
        row = SigningKey.objects.get()
        private = json.loads(signing_keys.to_sign_with(now=datetime.now(UTC)))
        assert private["kid"] == row.kid and private["d"].encode() not in bytes(row.secret)
        assert "d" not in row.public

    def test_rotating_publishes_before_it_signs_and_goes_on_with_the_old_one(self) -> None:
        staff, now = user(is_staff=True), datetime.now(UTC)
        signer = lambda then: json.loads(signing_keys.to_sign_with(now=then))["kid"]  # noqa: E731
        names = lambda then: [key["kid"] for key in signing_keys.published(now=then)]  # noqa: E731
        (first,) = names(now)
        second = signing_keys.rotate(actor=staff, now=now).kid
        with pytest.raises(NotAllowed):
            signing_keys.rotate(actor=staff, now=now)
        assert names(now) == [second, first] and signer(now) == first
        starts = now + signing_keys.AHEAD
        assert signer(starts) == second and first in names(starts + timedelta(days=7))
        assert names(starts + signing_keys.GRACE) == [second]
        with pytest.raises(NotAllowed):
            signing_keys.rotate(actor=user(), now=starts)

    def test_one_that_others_know_is_gone_at_once(self) -> None:
        staff, now = user(is_staff=True), datetime.now(UTC)
        (first,) = [key["kid"] for key in signing_keys.published(now=now)]
        waits = signing_keys.rotate(actor=staff, now=now)
        assert signing_keys.drop(kid=first, actor=staff, now=now).kid == waits.kid
        assert json.loads(signing_keys.to_sign_with(now=now))["kid"] == waits.kid, "it waits no longer"
        fresh = signing_keys.drop(kid=waits.kid, actor=staff, now=now)
        assert [key["kid"] for key in signing_keys.published(now=now)] == [fresh.kid]
        with pytest.raises(Invalid):
            signing_keys.drop(kid=first, actor=staff, now=now)


@pytest.mark.django_db(transaction=True)
def test_the_operator_changes_keys(capsys: pytest.CaptureFixture[str]) -> None:
    by = ["--by", user(is_staff=True).email]
    assert main(["agent-keys"]) == 0 and "none yet" in capsys.readouterr().out
    first = next(iter(published()))
    assert main(["agent-keys", "--rotate", *by]) == 0 and "signs from" in capsys.readouterr().out
    assert main(["agent-keys"]) == 0
    said = capsys.readouterr().out
    assert f"{first}  made" in said and "published until" in said and "published, signs from" in said
    assert main(["agent-keys", "--drop", first, *by]) == 0 and first not in published()
    for wrong_one in (["--rotate"], ["--drop", first, *by], ["--rotate", "--by", "nobody@demo.test"]):
        assert main(["agent-keys", *wrong_one]) == 1, wrong_one


class TestSigning:
    def test_the_base_is_the_one_of_the_rfc(self) -> None:
        said = base(RFC_FIELDS, RFC_PARAMETERS)
        raw = base64.b64decode(RFC_SIGNATURE)
        found = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        keys.private_of(RFC_KEY).public_key().verify(found, said, ec.ECDSA(hashes.SHA256()))

    def test_a_key_has_one_name(self) -> None:
        public, private = keys.public_of(keys.private_of(RFC_KEY))
        assert (public["x"], public["y"], private) == (RFC_KEY["x"], RFC_KEY["y"], RFC_KEY["d"])
        again, _ = keys.public_of(keys.private_of({**RFC_KEY, "kid": "other"}))
        assert again["kid"] == public["kid"] and len(public["kid"]) == 43
        for bad in ({**RFC_KEY, "crv": "P-384"}, {key: RFC_KEY[key] for key in RFC_KEY if key != "d"}):
            with pytest.raises((ValueError, KeyError)):
                keys.private_of(bad)

    @pytest.mark.parametrize(
        "url",
        [
            "https://Agent.Example:443/hook",
            "https://agent.example",
            "https://agent.example:8443/a/../b/%7Ec?",
            "https://agent.example/a?x=1&y=%20",
        ],
    )
    def test_others_read_the_same_of_each_address(self, url: str) -> None:
        headers, body, by = self._letter(url)
        assert check(url, headers, body, by, *(("@query",) if url.endswith("20") else ())) == RFC_KEY["kid"]

    def test_whatever_is_changed_is_noticed(self) -> None:
        url = "https://agent.example/hook?of=x"
        headers, body, by = self._letter(url)
        check(url, headers, body, by)
        for name in ("UCP-Agent", "Webhook-Id", "Webhook-Timestamp", "Content-Type", "Content-Digest"):
            with pytest.raises(InvalidSignature):
                check(url, {**headers, name: headers[name] + "0"}, body, by)
            with pytest.raises(InvalidSignature):
                check(url, {key: value for key, value in headers.items() if key != name}, body, by)
        for other in ("https://agent.example/hook?of=y", "https://agent.example/hook", "https://b.example/hook?of=x"):
            with pytest.raises(InvalidSignature):
                check(other, headers, body, by)
        with pytest.raises(InvalidSignature):
            check(url, headers, body + b" ", by)
        another = keys.private_of({**RFC_KEY, "d": keys.fresh()[1]}).public_key()
        with pytest.raises(InvalidSignature):
            check(url, headers, body, {RFC_KEY["kid"]: another})

    def test_a_header_of_two_lines_is_not_signed(self) -> None:
        with pytest.raises(ValueError):
            base({"@path": "/a\n/b"}, "()")

    def _letter(self, url: str) -> tuple[dict[str, str], bytes, dict[str, Any]]:
        at = datetime.now(UTC)
        letter = Letter(url, "11111111-2222-5333-8444-555555555555", b"{}", at, at, "https://m.test/.well-known/ucp")
        by = {RFC_KEY["kid"]: keys.private_of(RFC_KEY).public_key()}
        return signed(letter, secrets=[json.dumps(RFC_KEY)]), letter.body, by
