"""The protocol's addresses, below /agents/acp/."""

from django.urls import path, re_path

from crossdock.web.agents.acp import feed, sessions
from crossdock.web.agents.acp.speech import ACP
from crossdock.web.agents.entrance import nowhere

urlpatterns = [
    path("feed/metadata.json", feed.metadata, name="acp_feed"),
    path("feed/products.jsonl", feed.products, name="acp_products"),
    path("checkout_sessions", sessions.create, name="acp_sessions"),
    path("checkout_sessions/<str:id>", sessions.session, name="acp_session"),
    path("checkout_sessions/<str:id>/complete", sessions.complete, name="acp_complete"),
    path("checkout_sessions/<str:id>/cancel", sessions.cancel, name="acp_cancel"),
    path("payment_handler.json", sessions.handler, name="acp_handler"),
    re_path("", nowhere(ACP)),
]
