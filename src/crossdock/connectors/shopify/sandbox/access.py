"""Who may enter the simulated shop: installs approved by a person, tokens that end, refresh tokens that rotate, an app
of the seller's own.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from crossdock.connectors.shopify.manifest import ALL_SCOPES
from crossdock.connectors.shopify.sandbox.books import Books
from crossdock.kit.sandbox import Doc
from crossdock.kit.webhook import sign

# The operator's app in the demo: every simulated shop knows it, as Shopify knows an app of its store.
OPERATOR_APP = {"client_id": "crossdock-demo-app", "client_secret": "crossdock-demo-secret"}


class Access:
    """Apps, codes and tokens.

    `token_seconds` is the life of an access token of the operator's app (an hour in the real shop).
    """

    def __init__(self, books: Books) -> None:
        self.books, self.shelf = books, books.shelf
        self.token_seconds = 3600
        if not self.shelf.all("app"):
            self.shelf.put("app", OPERATOR_APP["client_id"], {**OPERATOR_APP, "own": False, "scopes": list(ALL_SCOPES)})
            own = {"client_id": secrets.token_hex(16), "client_secret": f"shpss_{secrets.token_hex(16)}"}
            self.shelf.put("app", own["client_id"], {**own, "own": True, "scopes": list(ALL_SCOPES)})

    @property
    def own_app(self) -> Doc:
        return next(app for app in self.shelf.all("app") if app["own"])

    def allow(self, client_id: str, scopes: list[str]) -> None:
        """Change an app's rights; tokens that are out already have the new ones."""
        app = self.books.need("app", client_id)
        self.shelf.put("app", client_id, app | {"scopes": scopes})

    def entering(self, token: str) -> tuple[str, set[str]] | None:
        """(client id, rights) behind an access token that is alive."""
        row = self.shelf.get("token", token)
        if row is None or row["ends"] <= self.books.clock().timestamp():
            return None
        app = self.shelf.get("app", row["app"])
        return None if app is None else (row["app"], set(app["scopes"]))

    # The browser's part

    async def ask_person(self, request: web.Request) -> web.Response:
        """What Shopify shows before an install."""
        app = self.shelf.get("app", request.query.get("client_id", ""))
        if app is None or app["own"]:
            return web.Response(
                status=400, text="Oauth error invalid_request: Could not find Shopify API application with api_key\n"
            )
        wanted = "".join(f"<li>{escape(scope)}</li>" for scope in request.query.get("scope", "").split(","))
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in request.query.items()
        )
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Install app</title><body style="font:16px'
            ' system-ui;max-width:40rem;margin:2rem auto">'
            "<p><strong>Simulated shop.</strong> Nothing here is real.</p><h1>Install app in"
            f" {escape(self.books.shop['name'])}?</h1>"
            f'<p>It wants to:</p><ul>{wanted}</ul><form method="post"'
            f' action="/admin/oauth/authorize">{hidden}<button>Install</button></form></body></html>'
        )
        return web.Response(text=page, content_type="text/html")

    async def approved(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        app = self.shelf.get("app", form.get("client_id", ""))
        back = form.get("redirect_uri", "")
        if app is None or app["own"] or urlsplit(back).scheme not in ("http", "https"):
            return web.Response(status=400, text="Oauth error invalid_request\n")
        raise web.HTTPFound(
            f"{back}{'&' if '?' in back else '?'}{urlencode(self.callback(app, request.host, form.get('state', '')))}"
        )

    def callback(self, app: Doc, host: str, state: str) -> dict[str, str]:
        """The parameters that come back to the app, signed."""
        code = secrets.token_hex(16)
        self.shelf.put("code", code, {"app": app["client_id"]})
        params = {
            "code": code,
            "shop": host,
            "state": state,
            "timestamp": str(int(self.books.clock().timestamp())),
            "host": secrets.token_hex(8),
        }
        message = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        return params | {"hmac": sign(app["client_secret"], message.encode(), encoding="hex")}

    # The token endpoint

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        app = self.shelf.get("app", form.get("client_id", ""))
        if app is None:
            return _refused("application_cannot_be_found", "The API key is not known.")
        if not secrets.compare_digest(form.get("client_secret", ""), app["client_secret"]):
            return _refused("invalid_client", "The client secret is wrong.")
        with self.shelf.transaction():
            answer = self._granted(app, form)
        return answer

    def _granted(self, app: Doc, form: Mapping[str, str]) -> web.Response:
        match form.get("grant_type", ""):
            case "client_credentials" if app["own"]:
                return web.json_response(self._access(app, timedelta(seconds=86_399)))
            case "client_credentials":
                return _refused("shop_not_permitted", "Client credentials cannot be performed on this shop.")
            case "refresh_token":
                return self._refreshed(app, form.get("refresh_token", ""))
            case _:
                code = self.shelf.get("code", form.get("code", ""))
                if code is None or code["app"] != app["client_id"]:
                    return _refused("invalid_request", "The authorization code was not found or was already used.")
                self.shelf.delete("code", form["code"])
                if form.get("expiring") != "1":
                    return web.json_response(self._access(app, timedelta(days=36_500), expiring=False))
                return web.json_response(
                    self._access(app, timedelta(seconds=self.token_seconds)) | self._refresh(app, "")
                )

    def _access(self, app: Doc, life: timedelta, *, expiring: bool = True) -> Doc:
        token = f"shpat_{secrets.token_hex(16)}"
        ends: datetime = self.books.clock() + life
        self.shelf.put("token", token, {"id": token, "app": app["client_id"], "ends": ends.timestamp()})
        answer: Doc = {"access_token": token, "scope": ",".join(app["scopes"])}
        return answer | ({"expires_in": int(life.total_seconds())} if expiring else {})

    def _refresh(self, app: Doc, parent: str) -> Doc:
        token = f"shprt_{secrets.token_hex(16)}"
        self.shelf.put("refresh", token, {"id": token, "app": app["client_id"], "parent": parent})
        return {"refresh_token": token, "refresh_token_expires_in": 7_776_000}

    def _refreshed(self, app: Doc, token: str) -> web.Response:
        """The first use of a refresh token ends the one it was made from; until then both work, so a lost answer locks
        nobody out.
        """
        row = self.shelf.get("refresh", token)
        if row is None or row["app"] != app["client_id"]:
            return _refused("invalid_grant", "The refresh token is invalid, expired or was used.")
        if row["parent"]:
            self.shelf.delete("refresh", row["parent"])
        return web.json_response(self._access(app, timedelta(seconds=self.token_seconds)) | self._refresh(app, token))

    def uninstall(self, client_id: str) -> None:
        """Every token of the app ends at once."""
        for kind in ("token", "refresh"):
            for row in self.shelf.all(kind):
                if row["app"] == client_id:
                    self.shelf.delete(kind, row["id"])


def _refused(error: str, sentence: str) -> web.Response:
    return web.json_response({"error": error, "error_description": sentence}, status=400)
