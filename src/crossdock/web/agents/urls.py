"""The protocol's addresses, below /agents/acp/."""

from django.urls import path, re_path

from crossdock.web.agents import feed
from crossdock.web.agents.entrance import nowhere

urlpatterns = [
    path("feed/metadata.json", feed.metadata, name="acp_feed"),
    path("feed/products.jsonl", feed.products, name="acp_products"),
    re_path("", nowhere),
]
