"""What WordPress itself answers: its pages, its index, a few of the shop's settings."""

from collections.abc import Callable

from aiohttp import web

from crossdock.connectors.woocommerce.sandbox.books import Books
from crossdock.kit.sandbox import Doc

CHALLENGE = (
    "<!doctype html><title>Just a moment...</title><p>Checking your browser before you go on."
    '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>'
)


class Site:
    """`?rest_route=/` is answered under any path, and every page names the REST API in its Link header."""

    def __init__(self, books: Books, address: Callable[[], str]) -> None:
        self._books, self._address = books, address

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self._page)
        app.router.add_get("/wp-json/", self._index)
        app.router.add_get(r"/{page:(?!wp-json|wc-auth|admin|_)[\w-]+}/", self._page)
        app.router.add_get(r"/{page:(?!wp-json|wc-auth|admin|_)[\w-]+}", self._page)

    async def _page(self, request: web.Request) -> web.Response:
        if self._books.settings["challenge"]:
            return challenge()
        if request.query.get("rest_route") == "/":
            return web.json_response(self.index())
        link = f'<{self._address()}/wp-json/>; rel="https://api.w.org/"'
        text = "<!doctype html><title>Simulated shop</title>"
        return web.Response(text=text, content_type="text/html", headers={"Link": link})

    async def _index(self, request: web.Request) -> web.Response:
        if self._books.settings["challenge"]:
            return challenge()
        if not self._books.settings["pretty"]:
            return web.Response(
                status=404, text="<!doctype html><title>Page not found</title>", content_type="text/html"
            )
        return web.json_response(self.index())

    def index(self) -> Doc:
        settings = self._books.settings
        return {
            "name": settings["name"],
            "home": self._address(),
            "namespaces": ["oembed/1.0", "wc/v3", *settings["plugins"], "wp/v2"],
        }

    def taxes(self) -> list[Doc]:
        settings = self._books.settings
        values = {
            "woocommerce_prices_include_tax": "yes" if settings["prices_include_tax"] else "no",
            "woocommerce_tax_display_shop": settings["tax_display"],
        }
        return [{"id": name, "value": value} for name, value in values.items()]

    def general(self) -> list[Doc]:
        """Only those about countries; a list that was never filled in is an empty text."""
        settings = self._books.settings
        if settings.get("general"):
            return list(settings["general"])
        values = {
            "woocommerce_calc_taxes": "yes" if settings["taxes"] else "no",
            "woocommerce_allowed_countries": "specific" if settings["sells_to"] else "all",
            "woocommerce_all_except_countries": "",
            "woocommerce_specific_allowed_countries": settings["sells_to"] or "",
            "woocommerce_ship_to_countries": "specific" if settings["ships_to"] else "",
            "woocommerce_specific_ship_to_countries": settings["ships_to"] or "",
        }
        return [{"id": name, "value": value} for name, value in values.items()]


def challenge() -> web.Response:
    """A firewall's page: 200, and no answer of the shop."""
    return web.Response(text=CHALLENGE, content_type="text/html")
