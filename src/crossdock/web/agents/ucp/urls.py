"""The protocol's addresses, below /agents/ucp/."""

from django.urls import path, re_path

from crossdock.web.agents.entrance import nowhere
from crossdock.web.agents.ucp import catalog, checkouts
from crossdock.web.agents.ucp.speech import UCP

urlpatterns = [
    path("catalog/search", catalog.search, name="ucp_search"),
    path("catalog/lookup", catalog.lookup, name="ucp_lookup"),
    path("catalog/product", catalog.one_product, name="ucp_product"),
    path("checkout-sessions", checkouts.create, name="ucp_checkouts"),
    path("checkout-sessions/<str:id>", checkouts.checkout, name="ucp_checkout"),
    path("checkout-sessions/<str:id>/complete", checkouts.complete, name="ucp_complete"),
    path("checkout-sessions/<str:id>/cancel", checkouts.cancel, name="ucp_cancel"),
    path("orders/<str:id>", checkouts.order, name="ucp_order"),
    re_path("", nowhere(UCP)),
]
