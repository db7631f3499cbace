"""The API's addresses, its description, and a page that shows it without a script from elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.http import require_safe

from crossdock.web.api import earnings, listings, money, offers, placing, problems, requests, shops
from crossdock.web.api.description import DescribedAPI
from crossdock.web.api.entrance import entrance
from crossdock.web.api.people import Bearer
from crossdock.web.api.returns import routes as returns
from crossdock.web.api.two_steps import routes as two_steps

DESCRIPTION = (
    "A marketplace with its own storefront uses it with the marketplace's token (made by staff), a seller's program"
    " with a seller's token (made in the panel). A token reads, or reads and changes, all areas or some; beyond them it"
    " gets a 403 that names what it needs. Send the token as `Authorization: Bearer …`; cookies open nothing."
    " Errors are application/problem+json. POST requests that create something or move money need an `Idempotency-Key`"
    " header: the same key with the same body gets the first answer again, with another body a 422; while the first is"
    " being worked on, and for two minutes after a crash, a 409. Money is a decimal text with its currency, times are"
    " UTC. Pages go on with `cursor`, newest first."
)


api = DescribedAPI(
    title="Crossdock",
    version="1.0.0",
    description=DESCRIPTION,
    auth=Bearer(),
    urls_namespace="api",
    docs_url=None,
    openapi_url="/openapi.json",
)
problems.install(api)
api.add_router("/listings", listings.router)
api.add_router("", offers.router)
api.add_router("", placing.router)
api.add_router("", money.router)
api.add_router("", requests.router)
api.add_router("", returns.router)
api.add_router("", earnings.router)
api.add_router("", two_steps.router)
api.add_router("", shops.router)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every operation with its words, from the same description that programs read."""
    schema = api.get_openapi_schema()
    rows = [
        (method.upper(), where.removeprefix("/api/v1"), operation)
        for where, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "api/docs.html", {"rows": rows, "description": DESCRIPTION})


_operations, _app, _space = api.urls
urlpatterns = [path("docs", docs, name="api_docs"), path("", include((entrance(_operations), _app), namespace=_space))]
