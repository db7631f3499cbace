"""A person's first minutes with `make run`, played over HTTP: buy a synced card, fulfil it on the simulated shop's
page, see the number on the buyer's page.

    python tests/walkthrough.py WEB_ADDRESS [--within SECONDS] [--shop ADDRESS ...]

Only the standard library: it plays against a fresh clone where nothing but the runtime is installed. It follows the
forms that the pages show.
"""

import argparse
import os
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from http.cookiejar import CookieJar

# What `.ci/run` measured: how much longer this machine may take than a quiet one.
PATIENCE = max(1.0, float(os.environ.get("CROSSDOCK_TEST_PATIENCE", "1")))
BUYER, PASSWORD = "zoe@demo.test", "paper-lantern-7"
ADDRESS = {
    "name": "Zoë Müller",
    "line1": "12 Harbour Lane",
    "city": "Portland",
    "postal_code": "97201",
    "region": "OR",
    "country": "US",
}


class Forms(HTMLParser):
    """Every form of a page as (action, fields as a browser would send them untouched)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._select = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((has.get("action", ""), {}))
            self._inside = True
        elif not self._inside:
            return
        elif tag == "select":
            self._select = has.get("name", "")
        elif tag == "option" and self._select and ("selected" in has or self._select not in self.found[-1][1]):
            self.found[-1][1][self._select] = has.get("value", "")
        elif tag in ("input", "textarea") and has.get("name"):
            kind = has.get("type", "text")
            if kind in ("radio", "checkbox") and "checked" not in has:
                if kind == "radio":
                    self.found[-1][1].setdefault(has["name"], has.get("value", "on"))
                return
            self.found[-1][1][has["name"]] = has.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""


class Visitor:
    """A browser without scripts: cookies, redirects, forms."""

    def __init__(self, site: str) -> None:
        self.site = site.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.url, self.page = "", ""

    def open(self, url: str, fields: dict[str, str] | None = None) -> str:
        full = urllib.parse.urljoin(self.url or self.site + "/", url)
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        request = urllib.request.Request(full, data, headers={"Referer": self.url or full, "Origin": self.site})
        with self._opener.open(request, timeout=20 * PATIENCE) as answer:
            self.url, self.page = answer.geturl(), answer.read().decode()
        return self.page

    def send(self, having: str, **typed: str) -> str:
        """The page's form that has this field, filled in and sent."""
        for action, fields in Forms(self.page).found:
            if having in fields:
                return self.open(action or self.url, fields | typed)
        raise SystemExit(f"{self.url} shows no form with {having!r}")


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """`seconds` are those of a quiet machine."""
    begun, most = time.monotonic(), seconds * PATIENCE
    while not true():
        if time.monotonic() - begun > most:
            raise SystemExit(f"waited {most:g} s for {what}")
        time.sleep(0.3)


def synced_cards(visitor: Visitor) -> list[str]:
    """Listings whose page offers a synced card to put into the cart."""
    links = list(dict.fromkeys(re.findall(r'href="(/l/[^"]+)"', visitor.open(visitor.site + "/"))))
    if not links:
        raise SystemExit("the storefront shows no listings")
    return links


def paid(visitor: Visitor) -> bool:
    """One press on the button that pays, or one more look; true once it was bought or cannot be.

    Where the shop was too slow to say what it has, the page asks to press again in a moment.
    """
    if 'name="fingerprint"' in visitor.page:
        visitor.send("fingerprint")
    else:
        visitor.open(visitor.url)
    return "/orders/" in visitor.url or "/cart/" in visitor.url


def bought(visitor: Visitor, links: list[str], shops: list[str]) -> tuple[str, str, str]:
    """Buy until an order stands in one of the simulated shops; (buyer's page, shop's page, order's number)."""
    for link in links:
        visitor.open(visitor.site + link)
        if 'name="variant"' not in visitor.page:
            continue
        visitor.send("variant", quantity="1")
        visitor.open(visitor.site + "/checkout/")
        if 'name="line1"' in visitor.page:
            visitor.send("line1", **ADDRESS)
        until(lambda: paid(visitor), 20, "the order's page")
        if "/orders/" not in visitor.url:
            continue
        number = re.search(r"#(\d+)", visitor.page)
        if number is None:
            raise SystemExit(f"{visitor.url} names no order")
        for _ in range(int(40 * PATIENCE)):
            for shop in shops:
                if f"CD-{number[1]}-" in Visitor(shop).open("/_shop"):
                    return visitor.url, shop, number[1]
            time.sleep(0.25)
    raise SystemExit("no order reached a simulated shop")


def fulfil(shop: str, number: str, tracking: str) -> None:
    seller = Visitor(shop)
    page = seller.open("/_shop")
    # The article of our order is the one that shows our reference.
    article = next(part for part in page.split("<article")[1:] if f"CD-{number}-" in part)
    seller.page = article
    seller.send("tracking", tracking=tracking, carrier="UPS")


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words.add_argument("web")
    words.add_argument("--shop", action="append", default=[], help="addresses of the simulated shops")
    words.add_argument("--within", type=float, default=90.0)
    args = words.parse_args()
    begun = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begun:5.1f} s  {what}", flush=True)

    visitor = Visitor(args.web)
    links = synced_cards(visitor)
    say(f"the storefront shows {len(links)} listings")
    visitor.open(visitor.site + "/accounts/login/")
    visitor.send("login", login=BUYER, password=PASSWORD)
    page, shop, number = bought(visitor, links, args.shop)
    say(f"order #{number} was bought and stands in the shop at {shop}")
    tracking = f"1ZWALK{int(time.time())}"
    fulfil(shop, number, tracking)
    say(f"fulfilled on {shop}/_shop with {tracking}")
    until(lambda: tracking in unescape(visitor.open(page)), 60, "the tracking number on the buyer's page")
    say("the tracking number is on the buyer's page")
    took = time.monotonic() - begun
    if took > args.within * PATIENCE:
        print(f"that took {took:.0f} s, more than {args.within * PATIENCE:g}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
