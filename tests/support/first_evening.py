"""A seller's first evening in a real Chromium, from sign-up to the first test order: a simulated shop over real HTTP,
web server and worker of their own.

    python tests/support/first_evening.py [--shots FOLDER] [PLATFORM ...]

They only look first; the report says what their shop sold meanwhile; then they go live. A line per fact: what the pages
say, and what stands in the shop's own books. Without names all platforms are played, one after the other.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page, expect, sync_playwright

from chromium import launched
from crossdock.kit.connector import VariantRef
from crossdock.kit.sandbox import Sandbox
from crossdock_lab.facts import Facts
from crossdock_lab.patience import patient
from crossdock_lab.trial import Trial
from page_checks import faults, pale, too_wide

RULE, PASSWORD = "M6", "quiet-harbour-42"
GOODS = (("Lantern of the first evening", 7), ("Anchor of the first evening", 5))
HOME = {"line1": "5 Market St", "city": "Austin", "region": "TX", "postal_code": "78701"}


@dataclass
class Evening:
    """`wrong` is what a page owes to people and does not give."""

    trial: Trial
    shop: Sandbox
    page: Page
    platform: str
    facts: Facts
    shots: str = ""
    wrong: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.trial.port}"

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def looks(self, name: str) -> None:
        self.wrong += [f"{name}: {each}" for each in (*faults(self.page), *pale(self.page), *too_wide(self.page))]
        if self.shots:
            self.page.screenshot(path=f"{self.shots}/{self.platform}-{name}.png", full_page=True)

    def shows(self, words: str, seconds: float = 60) -> None:
        """Reloaded until it says so, as a person without scripts would."""
        said = self.page.get_by_text(words)

        def stands() -> bool:
            self.page.reload()
            return said.count() > 0

        self.trial.until(stands, seconds, f"a page that says “{words}”", every=0.5)

    def see(self, right: bool, sentence: str) -> None:
        self.facts.see(right, RULE, self.platform, "as-described", sentence)


@contextmanager
def evening(platform: str, shots: str, width: int = 1280) -> Iterator[Evening]:
    with Trial() as trial, sync_playwright() as playing:
        trial.start_web()
        trial.worker.start()
        browser = launched(playing)
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(patient(15_000))
        expect.set_options(timeout=patient(15_000))
        yield Evening(trial, trial.open_shop(platform), context.new_page(), platform, Facts(), shots)
        browser.close()


def signs_up(at: Evening) -> None:
    """An account whose address is confirmed by the link in a mail, and a shop's name."""
    from crossdock.store.models import Mail

    page, email = at.page, f"first-{at.platform.replace('_', '-')}@example.test"
    at.go("/accounts/signup/")
    at.looks("sign-up")
    page.fill("[name=email]", email)
    for box in ("name", "password1"):
        if page.locator(f"[name={box}]").count():
            page.fill(f"[name={box}]", PASSWORD if box == "password1" else "Nora Kern")
    at.press("Make the account")
    mails = Mail.objects.filter(to=email)
    at.trial.until(mails.exists, 30, "the mail with the link")
    link = re.search(r"http\S+confirm\S+", mails.latest("pk").body)
    assert link, mails.latest("pk").body
    page.goto(re.sub(r"^https?://[^/]+", at.url, link[0]))
    at.looks("confirm")
    page.locator("main form button").first.click()


def opens_a_shop(at: Evening) -> None:
    at.go("/sell/")
    if "/accounts/login" in at.page.url:
        at.page.fill("[name=login]", f"first-{at.platform.replace('_', '-')}@example.test")
        at.page.fill("[name=password]", PASSWORD)
        at.page.locator("main button").first.click()
        at.go("/sell/")
    at.looks("start-selling")
    at.page.fill("[name=name]", f"Harbour {at.platform}")
    at.page.fill("[name=at_home]", "3.00")
    at.press("Open my shop")
    at.looks("panel-empty")


def connects(at: Evening) -> None:
    """By the way that needs no sign-in elsewhere; only looked at first."""
    from crossdock.kit import discover

    manifest = discover.connector(at.platform).manifest
    name, form = at.shop.seller_form()
    (way,) = (way for way in manifest.ways if way.name == name)
    at.go("/seller/connect/")
    at.looks("platforms")
    at.page.get_by_role("link", name=f"Choose {manifest.label_within}", exact=True).click()
    at.looks("platform")
    at.page.get_by_role("link", name=f"Choose {way.label}").click()
    for box, value in form.items():
        at.page.fill(f"[name={box}]", value)
    at.looks("way")
    at.press("Test the connection")
    at.page.get_by_role("button", name="Connect this shop").wait_for()
    at.looks("test-and-look")
    at.see(
        at.page.get_by_text(GOODS[0][0]).count() > 0 and at.page.locator(".checks .not").count() == 0,
        "connected from the form: every line of the test holds, and what would be listed stands there",
    )
    at.page.get_by_label("Shadow mode: only look for some days").check()
    at.press("Connect this shop")
    at.page.get_by_role("link", name="Your first evening").wait_for(timeout=patient(60_000))
    at.looks("first-reading")


def looks_first(at: Evening, refs: list[VariantRef]) -> None:
    orders = len(at.trial.call(at.shop.hand.orders()))
    at.follow("Your first evening")
    at.looks("evening-shadow")
    at.trial.call(at.shop.hand.sell(refs[0], 2))
    sold = len(at.trial.call(at.shop.hand.orders()))
    at.follow("See the report")
    at.shows("Would have been sold.")
    at.looks("report")
    at.see(
        at.page.get_by_text("2 units").count() > 0 and at.page.get_by_text("2 of them").count() > 0,
        "the report of shadow mode has the two units that the shop sold meanwhile",
    )
    at.see(len(at.trial.call(at.shop.hand.orders())) == sold, f"nothing was written to the shop ({sold - orders} sold)")
    at.press("Go live")


def tries(at: Evening, refs: list[VariantRef]) -> None:
    from crossdock.domain.capability import Capability
    from crossdock.kit import discover

    manifest = discover.connector(at.platform).manifest
    at.follow("Make a test order")
    at.looks("test-order")
    if not at.page.locator("[name=line1]").is_visible():
        at.page.locator("main summary").click()
    for box, value in HOME.items():
        at.page.fill(f"[name={box}]", value)
    product = at.page.locator("[name=product] option").filter(has_text=GOODS[1][0]).first
    at.page.select_option("[name=product]", product.get_attribute("value"))
    at.press("Make the test order")
    ours = manifest.can(Capability.ORDER_CANCEL)
    done = "It works: an order finds its way into your shop" if ours else "Something is left to do"
    at.page.get_by_role("heading", name=done).wait_for(timeout=patient(90_000))
    at.looks("tested")
    made = [each for each in at.trial.call(at.shop.hand.orders()) if each.reference.startswith("CD-TEST")]
    at.see(
        len(made) == 1 and made[0].cancelled is ours and at.page.locator(".checks .not").count() == 0,
        f"one test order stands in the shop, {'cancelled' if ours else 'for its seller to cancel'},"
        f" {at.page.locator('.checks .ok').count()} steps ticked",
    )
    if ours and manifest.can(Capability.CANCEL_RESTORES):
        at.see(at.trial.call(at.shop.hand.count(refs[1])) == GOODS[1][1], "and its unit is back")


def ends(at: Evening) -> None:
    """Left and resumed from the overview, for nothing was sold yet."""
    at.go("/seller/")
    at.looks("overview")
    at.follow("Your first evening")
    at.looks("evening-live")
    stands = at.page.locator("main ol.stack .badge").all_inner_texts()
    at.see(stands.count("Done") >= 5, f"the evening's steps stand as {', '.join(stands)}")


def play(platform: str, shots: str) -> int:
    with evening(platform, shots) as at:
        refs: list[VariantRef] = []
        for number, (title, count) in enumerate(GOODS):
            refs += at.trial.call(at.shop.hand.add_product(title, [(f"EVENING-{number}", "10.00", count)]))
        signs_up(at)
        opens_a_shop(at)
        connects(at)
        looks_first(at, refs)
        tries(at, refs)
        ends(at)
        at.see(not at.wrong, f"every page is sound for people who use no mouse or hold a phone {at.wrong[:3]}")
        return at.facts.end()


def main() -> int:
    parser = argparse.ArgumentParser(description="A seller's first evening in a real Chromium.")
    parser.add_argument("platforms", nargs="*", metavar="PLATFORM")
    parser.add_argument("--shots", default="", metavar="FOLDER", help="keep a picture of each page there")
    args = parser.parse_args()
    if len(args.platforms) == 1:
        return play(args.platforms[0], args.shots)
    from crossdock.kit import discover

    # Each in a process of its own: a marketplace sets up the one that it is made in.
    words = [sys.executable, __file__, "--shots", args.shots]
    names = args.platforms or list(discover.connectors())
    bad = [name for name in names if subprocess.run([*words, name], check=False).returncode]
    print(f"{len(names) - len(bad)} evenings as they should be, {len(bad)} not {bad or ''}")
    return 1 if bad else 0


if __name__ == "__main__":
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    sys.exit(main())
