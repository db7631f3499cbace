"""Who is answered at the addresses for agents: nobody while the switch is off, and then an agent's token alone."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.web.test_walls import names

from agent import Agent, secret_for, wrong
from crossdock.store.models import ApiToken
from crossdock.web.agents.acp import feed
from market import seller, user

pytestmark = pytest.mark.django_db
# name -> (path, method, whether a token that only reads is enough)
ADDRESSES: dict[str, tuple[str, str, bool]] = {
    "acp_feed": ("/feed/metadata.json", "GET", True),
    "acp_products": ("/feed/products.jsonl", "GET", True),
    "acp_sessions": ("/checkout_sessions", "POST", False),
    "acp_session": ("/checkout_sessions/x", "GET", False),
    "acp_complete": ("/checkout_sessions/x/complete", "POST", False),
    "acp_cancel": ("/checkout_sessions/x/cancel", "POST", False),
    "acp_handler": ("/payment_handler.json", "GET", True),
}


@pytest.fixture
def on(settings: Any) -> None:
    settings.AGENTS = True


def sent(agent: Agent, name: str) -> Any:
    path, method, _ = ADDRESSES[name]
    return agent.get(path) if method == "GET" else agent.post(path)


def test_while_it_is_off_nothing_is_there_and_nothing_is_asked() -> None:
    agent = Agent()
    with CaptureQueriesContext(connection) as asked:
        for name in [*ADDRESSES]:
            assert sent(agent, name).status_code == 404, name
        assert agent.get("/nothing").status_code == agent.client.get("/.well-known/acp.json").status_code == 404
        strict = Client(enforce_csrf_checks=True)
        for path in ("/.well-known/acp.json", *(f"/agents/acp{path}" for path, _, _ in ADDRESSES.values())):
            assert strict.post(path, {}).status_code == strict.put(path).status_code == 404, path
    assert len(asked) == 0


@pytest.mark.usefixtures("on")
class TestOn:
    def test_every_address_has_an_entry(self) -> None:
        assert names("acp_") == {*ADDRESSES, "acp_discovery"}

    def test_everybody_reads_where_it_is(self) -> None:
        assert Client(enforce_csrf_checks=True).post("/.well-known/acp.json", {}).status_code == 405
        answer = Client().get("/.well-known/acp.json")
        assert wrong("agentic_checkout", "DiscoveryResponse", answer.json()) == []
        base = answer.json()["api_base_url"].removeprefix("http://127.0.0.1:8000")
        assert Agent().client.get(f"{base}/feed/metadata.json", headers=Agent().headers).status_code == 200

    def test_only_an_agents_token_of_the_marketplace_is_answered(self) -> None:
        refused: list[tuple[str, int]] = [
            ("", 401),
            ("cd_unknown", 401),
            (secret_for("orders:change listings:change"), 403),
            # From before tokens had areas: agents were not among what it was made for.
            (secret_for("*"), 403),
            (secret_for("agents:change", seller=seller()), 403),
        ]
        for secret, status in refused:
            agent = Agent()
            agent.headers["Authorization"] = f"Bearer {secret}"
            for name in ADDRESSES:
                answer = sent(agent, name)
                assert answer.status_code == status, (name, secret)
                assert wrong("agentic_checkout", "Error", answer.json()) == []
        reads = Agent(secret_for("agents:read"))
        for name, (_, _, enough) in ADDRESSES.items():
            assert (sent(reads, name).status_code == 403) is not enough, name

    def test_a_revoked_token_and_one_of_who_is_no_staff_any_more_open_nothing(self) -> None:
        staff = user(is_staff=True)
        agent = Agent(secret_for(actor=staff))
        assert agent.get("/feed/metadata.json").status_code == 200
        ApiToken.objects.update(revoked_at=datetime.now(UTC))
        assert agent.get("/feed/metadata.json").status_code == 401
        ApiToken.objects.update(revoked_at=None)
        type(staff).objects.filter(pk=staff.pk).update(is_staff=False, roles=[])
        assert agent.get("/feed/metadata.json").status_code == 401

    def test_an_agents_token_opens_nothing_of_the_api(self) -> None:
        agent = Agent()
        for path in ("/api/v1/orders", "/api/v1/listings", "/api/v1/connections"):
            assert agent.client.get(path, headers=agent.headers).status_code == 403, path

    def test_what_is_asked_wrongly_is_said_in_the_protocols_shape(self, monkeypatch: pytest.MonkeyPatch) -> None:
        agent = Agent()
        assert agent.post("/feed/metadata.json").status_code == 405
        nothing = agent.get("/nothing")
        assert (nothing.status_code, wrong("agentic_checkout", "Error", nothing.json())) == (404, [])

        def breaks() -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(feed.timezone, "now", breaks)
        monkeypatch.setattr("crossdock.web.agents.entrance.token_of", lambda **_: ApiToken(pk=1, scopes="agents:read"))
        monkeypatch.setattr(
            "crossdock.web.agents.entrance.timezone", type("T", (), {"now": staticmethod(lambda: None)})
        )
        broken = agent.get("/feed/metadata.json")
        assert broken.status_code == 500 and wrong("agentic_checkout", "Error", broken.json()) == []
        assert "ZeroDivision" not in broken.content.decode()

    @pytest.mark.parametrize("change", ["", "/complete", "/cancel"])
    def test_what_no_database_or_reader_takes_is_refused_in_words(self, change: str, settings: Any) -> None:
        agent = Agent()
        for path, said in (("/checkout_sessions/%00", {}), ("/checkout_sessions/x", {"q": "%00"})):
            query = f"?q={said['q']}" if said else ""
            answers = [agent.post(f"{path}{change}{query}")] + ([] if change else [agent.get(f"{path}{query}")])
            for answer in answers:
                assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), path
                assert wrong("agentic_checkout", "Error", answer.json()) == []
        long = agent.post(f"/checkout_sessions/x{change}", " " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))
        assert (long.status_code, long.json()["code"]) == (413, "request_too_large")
        assert wrong("agentic_checkout", "Error", long.json()) == []

    def test_staff_make_a_token_for_an_agent_and_no_other_token_reaches_it_unnamed(self) -> None:
        staff = Client()
        staff.force_login(user(is_staff=True))
        assert 'value="agents"' in staff.get("/staff/tokens/").content.decode()
        form = {"name": "An agent", "may": "change", "areas": ["agents"], "days": "30"}
        page = staff.post("/staff/tokens/", form).content.decode()
        (secret,) = set(re.findall(r"cd_[\w-]{43}", page))
        assert Agent(secret).get("/feed/metadata.json").status_code == 200
        assert "Read and change: Product feed and checkout for agents" in page
        staff.post("/staff/tokens/", {"name": "All", "may": "change"})
        assert "agents" not in ApiToken.objects.get(name="All").scopes

    def test_a_seller_cannot_name_it(self) -> None:
        mine = seller()
        client = Client()
        client.force_login(mine.owner)
        assert 'value="agents"' not in client.get("/seller/tokens/").content.decode()
        page = client.post("/seller/tokens/", {"name": "x", "may": "change", "areas": ["agents"]})
        assert page.status_code == 422 and not ApiToken.objects.filter(seller=mine).exists()
