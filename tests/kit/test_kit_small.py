"""The small tools of the kit: statuses, signatures, redaction, the budget's arithmetic, bounded reads."""

import asyncio
import base64
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.capability import Pace
from crossdock.kit import ask as asking
from crossdock.kit.ask import ask, ask_sync, close_asks
from crossdock.kit.budget import Bucket, Budget
from crossdock.kit.check import check, retry_after
from crossdock.kit.connector import Reply
from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Outside, Strange, Throttled
from crossdock.kit.guard import is_public
from crossdock.kit.http import Transport
from crossdock.kit.redact import redact_body, redact_headers, redact_text, redact_url
from crossdock.kit.webhook import body_key, hmac_ok, sign
from crossdock.kit.xml import document

# Statuses


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, Throttled), (401, Throttled), (404, Missing), (500, NoAnswer), (503, NoAnswer), (301, NoAnswer)],
)
def test_a_status_says_what_to_do_next(status: int, error: type[Outside]) -> None:
    with pytest.raises(error) as caught:
        check(Reply(status, {"retry-after": "7"}, b""))
    assert str(caught.value).endswith(".")


def test_a_401_is_about_our_credentials_only_where_it_is_no_page() -> None:
    with pytest.raises(AuthDead):
        check(Reply(401, {}, b'{"error": "invalid credentials"}'))
    for body in (b"", b"<h1>Authorization Required</h1>", b'"no"', b"[]"):
        with pytest.raises(Throttled, match="password page"):
            check(Reply(401, {}, body))


@pytest.mark.parametrize("status", [200, 201, 204, 400, 403, 409, 422])
def test_a_status_that_the_body_explains_is_left_to_the_connector(status: int) -> None:
    reply = Reply(status, {}, b"")
    assert check(reply) is reply


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("999999", 3600.0),
        ("Mon, 23 Nov 2026 05:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 04:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-4", None),
        ("nan", None),
    ],
)
def test_retry_after_in_both_forms_by_the_other_side_s_own_clock(header: str, seconds: float | None) -> None:
    assert retry_after(Reply(429, {"retry-after": header, "date": "Mon, 23 Nov 2026 05:00:00 GMT"}, b"")) == seconds


def test_a_body_that_is_no_json_is_strange() -> None:
    with pytest.raises(Strange):
        Reply(200, {}, b"<html>").json()
    assert Reply(200, {}, b'{"a": 1}').json() == {"a": 1}


# Signatures


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_a_signature_verifies_over_exactly_these_bytes(encoding: str) -> None:
    body = b'{"id": 7}'
    good = sign("secret", body, encoding=encoding)  # type: ignore[arg-type]
    verify = lambda secret, body, given: hmac_ok(secret, body, given, encoding=encoding)  # type: ignore[arg-type]  # noqa: E731
    assert verify("secret", body, good)
    assert verify(b"secret", body, f" {good}\n")
    for secret, other, shown in [
        ("Secret", body, good),
        ("secret", body + b" ", good),
        ("secret", b"", good),
        ("secret", body, good[:-1]),
    ]:
        assert not verify(secret, other, shown)
    for shown in ("", "é" * 44, "=" * 44, "\ud800", good.swapcase() if encoding == "base64" else good[::-1]):
        assert not verify("secret", body, shown)
    assert not verify("", body, sign("", body, encoding=encoding))  # type: ignore[arg-type]


def test_a_known_signature() -> None:
    # RFC 4231, test case 2.
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_ok("Jefe", b"what do ya want for nothing?", known, encoding="hex")
    assert hmac_ok("Jefe", b"what do ya want for nothing?", known.upper(), encoding="hex")


def test_the_body_s_key_tells_bodies_apart() -> None:
    assert body_key(b"a") == body_key(b"a") != body_key(b"b")


# Redaction


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "apiKey",
        "api_key",
        "consumer_secret",
        "consumer_key",
        "password",
        "client_secret",
        "X-Shop-Access-Token",
        "key",
        "Authorization",
        "email",
        "phone",
        "address1",
        "streetLine1",
        "address_1",
        "line2",
        "firstName",
        "last_name",
        "emailAddress",
        "phoneNumber",
        "refresh_token",
    ],
)
def test_fields_with_secrets_or_persons_are_hidden(name: str) -> None:
    for body, kind in (
        (f'{{"a": [{{"{name}": "very-private"}}]}}', "application/json"),
        (f"{name}=very-private&b=2", "application/x-www-form-urlencoded"),
    ):
        assert "very-private" not in redact_body(body.encode(), kind)
    assert "very-private" not in redact_url(f"https://shop.example/a?{name}=very-private")


@pytest.mark.parametrize(
    "name",
    ["sku", "title", "quantity", "status", "id", "total", "currency", "country", "postal_code", "tracking_number"],
)
def test_fields_that_explain_what_happened_stay(name: str) -> None:
    assert "JD014600003" in redact_body(f'{{"{name}": "JD014600003"}}'.encode(), "application/json")


def test_a_global_id_of_a_shop_is_an_id_and_any_other_base64_may_be_a_key() -> None:
    ids = [
        base64.b64encode(f"{kind}:5d1c7e3a-9f0b-4c56-8a55-0f6a1b2c3d4e".encode()).decode().rstrip("=")
        for kind in ("Order", "OrderLine", "ProductVariant")
    ]
    assert redact_text(f"orders {' '.join(ids)} read") == f"orders {' '.join(ids)} read"
    for other in (
        "admin:5d1c7e3a-9f0b-4c56-8a55-0f6a1b2c3d4e",
        "Order:secret words of somebody 9",
        "Order:5d1c7e3a9f0b4c56",
    ):
        key = base64.b64encode(other.encode()).decode().rstrip("=")
        assert redact_text(f"key {key}9aB") == "key [hidden]"


def test_texts_lose_addresses_numbers_and_keys_but_no_dates() -> None:
    text = redact_text(
        "Mail ada@buyer.example or +49 170 1234567, key abcd_0123456789abcdefghij, at 2026-11-23T05:00:00+01:00, 12.50"
    )
    assert not [secret for secret in ("ada@", "1234567,", "0123456789ab") if secret in text]
    assert "2026-11-23T05:00:00+01:00, 12.50" in text


def test_headers_bodies_and_urls_of_odd_kinds() -> None:
    assert redact_headers({"Authorization": "Bearer x", "Cookie": "a=b", "Accept": "text/html"}) == {
        "Authorization": "[hidden]",
        "Cookie": "[hidden]",
        "Accept": "text/html",
    }
    assert redact_body(b"") == ""
    assert redact_body(b"\xff\xfe\x00") == "(3 bytes)"
    assert redact_body(b"x" * 300_000) == "(300000 bytes)"
    assert len(redact_body(b"[" + b"1," * 20_000 + b"1]")) < 5_000
    assert redact_body(b"[" * 100_000).startswith("[[[")
    assert redact_body(b"billing[email]=ada&a=1", "application/x-www-form-urlencoded") == "billing[email]=[hidden]&a=1"
    assert redact_url("https://user:pw@shop.example/a?page=2#t") == "https://shop.example/a?page=2"


# Addresses


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
        "shop.example",
        "",
    ],
)
def test_addresses_that_are_not_for_us(address: str) -> None:
    assert not is_public(address)


# The budget


@given(st.lists(st.floats(0, 3), min_size=30, max_size=60), st.floats(0.5, 20), st.integers(1, 10))
def test_never_more_than_the_burst_and_the_rate(gaps: list[float], per_second: float, burst: int) -> None:
    """Over any stretch of time, at most burst + rate * time tokens become due."""
    bucket, now, due = Bucket(per_second, burst, 0.0), 0.0, []
    for gap in gaps:
        now += gap
        due.append(now + bucket.take(now))
    for first in range(0, len(due), 7):
        for last in range(first, len(due)):
            assert last - first + 1 <= burst + per_second * (due[last] - due[first]) + 1.001


async def test_people_have_their_own_share() -> None:
    clock = lambda: 0.0  # noqa: E731
    pace = Pace(per_second=10, burst=10, parallel=10)
    background, person = Budget(pace, "background", clock), Budget(pace, "interactive", clock)
    assert (background.bucket.per_second, person.bucket.per_second) == (8, 2)
    for _ in range(8):
        async with background.turn():
            pass
    assert background.bucket.take(0.0) > 0
    assert person.bucket.take(0.0) == 0


async def test_the_platform_s_own_numbers_correct_the_budget() -> None:
    now = [0.0]
    budget = Budget(Pace(per_second=10, burst=100, parallel=10), "background", lambda: now[0])
    budget.learn(left=0, per_second=None)
    assert budget.bucket.take(0.0) == pytest.approx(1 / 8)
    budget.learn(left=1000, per_second=50)
    assert (budget.bucket.level, budget.bucket.per_second) == (80, 40)
    budget.pause(30)
    with pytest.raises(Throttled) as caught:
        async with budget.turn():
            pass
    assert caught.value.after_seconds == pytest.approx(30)
    assert not budget.idle
    now[0] = 31.0
    assert budget.idle


# Bounded reads


async def test_a_read_that_takes_too_long_is_no_answer() -> None:
    async def slow() -> None:
        await asyncio.sleep(60)
        waited.append("to the end")

    waited: list[str] = []
    with pytest.raises(NoAnswer, match=r"within 0\.1 seconds"):
        await ask(slow(), within=0.1)
    assert waited == []


@pytest.fixture
def asks() -> Iterator[None]:
    yield
    close_asks()


@pytest.mark.usefixtures("asks")
def test_synchronous_code_asks_through_one_background_loop() -> None:
    seen: list[tuple[str, Transport]] = []

    async def question(transport: Transport) -> str:
        seen.append((threading.current_thread().name, transport))
        return "yes"

    async def slow(transport: Transport) -> None:
        await asyncio.sleep(60)

    async def dead(transport: Transport) -> None:
        raise AuthDead("The shop refused our credentials.")

    assert [ask_sync(question), ask_sync(question)] == ["yes", "yes"]
    assert seen[0] == seen[1]
    assert seen[0][0] == "crossdock-ask"
    with pytest.raises(NoAnswer):
        ask_sync(slow, within=0.1)
    with pytest.raises(AuthDead):
        ask_sync(dead)


@pytest.mark.usefixtures("asks")
def test_many_threads_ask_at_once_and_the_loop_ends_when_told() -> None:
    under_way: list[int] = []
    most_at_once = 0

    async def question(transport: Transport) -> int:
        nonlocal most_at_once
        under_way.append(1)
        most_at_once = max(most_at_once, len(under_way))
        await asyncio.sleep(0.3)
        return under_way.pop()

    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(ask_sync(question))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers) == 20
    assert most_at_once > 1, "not one after the other"
    close_asks()
    assert asking._Background.running is None
    assert "crossdock-ask" not in [thread.name for thread in threading.enumerate()]
    assert ask_sync(question) == 1


def test_a_body_of_xml_is_shown_without_keys_and_people() -> None:
    body = (
        b"<?xml version='1.0' encoding='utf-8'?><shop><customer><id>7</id><passwd>s3cret-pass</passwd>"
        b"<firstname>Ada</firstname><email><![CDATA[ada@example.test]]></email><note>Mail ada@example.test</note>"
        b"<address1>17 Cormorant Lane</address1><quantity>2</quantity></customer></shop>"
    )
    shown = redact_body(body, "text/xml; charset=utf-8")
    assert not [word for word in ("s3cret", "Ada", "ada@", "Cormorant") if word in shown], shown
    assert "<id>7</id>" in shown and "<quantity>2</quantity>" in shown and "<customer>" in shown


# XML


def test_what_no_xml_can_hold_is_left_out_and_markup_is_text() -> None:
    rows = {"row": [{"id": 1}, {"id": None}]}
    body = document("shop", "note", [{"text": "a\x00b <script> & \x1f", "rows": rows}]).decode()
    assert "<shop><note><text>ab &lt;script&gt; &amp; </text>" in body
    assert "<rows><row><id>1</id></row><row><id /></row></rows>" in body
