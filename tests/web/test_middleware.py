"""Whom to believe about an address, what a page may load, and static files in both worlds."""

import re
from ipaddress import ip_network
from typing import cast

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import URLPattern

from crossdock.logs import ABOUT, REQUEST
from crossdock.web.middleware import ContentSecurityPolicy, RequestIds, TrustedProxies, allow

urlpatterns: list[URLPattern] = []
pytestmark = pytest.mark.urls(__name__)
PROXY = "10.1.1.1"


def _seen(*, trusted: bool, **headers: str) -> HttpRequest:
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    with override_settings(TRUSTED_PROXIES=(ip_network("10.0.0.0/8"),) if trusted else ()):
        TrustedProxies(view)(RequestFactory().get("/", REMOTE_ADDR=PROXY, **headers))
    return seen[0]


def test_a_stranger_s_headers_are_removed() -> None:
    request = _seen(
        trusted=False,
        HTTP_X_FORWARDED_FOR="203.0.113.9",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="evil.example",
    )
    assert request.META["REMOTE_ADDR"] == PROXY
    assert not request.is_secure()
    assert not [name for name in request.META if "FORWARDED" in name]


def test_a_named_proxy_is_believed() -> None:
    request = _seen(trusted=True, HTTP_X_FORWARDED_FOR="203.0.113.9", HTTP_X_FORWARDED_PROTO="https")
    assert request.META["REMOTE_ADDR"] == "203.0.113.9"
    assert request.is_secure()


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("198.51.100.1, 203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("nonsense, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_only_what_our_proxies_wrote_counts(chain: str, client: str) -> None:
    assert _seen(trusted=True, HTTP_X_FORWARDED_FOR=chain).META["REMOTE_ADDR"] == client


def _policy(response: HttpResponse) -> dict[str, list[str]]:
    given = ContentSecurityPolicy(lambda request: response)(RequestFactory().get("/"))
    assert isinstance(given, HttpResponse)
    return {part.split()[0]: part.split()[1:] for part in given["Content-Security-Policy"].split(";")}


def test_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = _policy(HttpResponse())
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert not [source for sources in policy.values() for source in sources if "unsafe" in source]


def test_a_view_widens_one_directive_only() -> None:
    policy = _policy(allow(HttpResponse(), form_action=["https:"]))
    assert policy["form-action"] == ["'self'", "https:"]
    assert policy["script-src"] == ["'self'"]


@pytest.mark.parametrize(("local", "expected"), [(True, True), (False, False)])
def test_pictures_of_local_shops_are_for_the_demo(local: bool, expected: bool) -> None:
    with override_settings(CSP_LOCAL_IMAGES=local):
        assert ("http://127.0.0.1:*" in _policy(HttpResponse())["img-src"]) is expected


STATIC = "/static/django_htmx/htmx-2.min.js"


def test_static_files() -> None:
    whole = Client().get(STATIC)
    assert whole.status_code == 200
    assert whole["Content-Type"].startswith("text/javascript")
    assert int(whole["Content-Length"]) == len(whole.content) > 10_000
    assert "max-age" in whole["Cache-Control"]
    assert Client().get(STATIC, headers={"If-Modified-Since": whole["Last-Modified"]}).status_code == 304
    assert Client().get(STATIC, headers={"Range": "bytes=0-9"}).content == whole.content[:10]
    assert Client().head(STATIC).content == b""


async def test_static_files_without_a_thread() -> None:
    answer = await AsyncClient().get(STATIC)
    assert answer.status_code == 200
    assert len(answer.content) == int(answer["Content-Length"])


def test_each_request_has_an_id_of_its_own_which_log_lines_name() -> None:
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append((REQUEST.get(), ABOUT.get()))
        return HttpResponse("")

    around = RequestIds(view)
    factory = RequestFactory()
    told = [
        cast(HttpResponse, around(factory.get(path, headers={"X-Request-ID": "a visitor's"})))["X-Request-ID"]
        for path in ("/seller/orders/A-77/ship/", "/seller/")
    ]
    assert seen == [(told[0], "A-77"), (told[1], "")]
    assert told[0] != told[1] and all(re.fullmatch("[0-9a-f]{16}", each) for each in told)
