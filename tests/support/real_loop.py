"""The whole marketplace against an unmodified server: the story's scenes that need no fault dial, and a kill -9 of the
worker with orders in flight.

Run as a program (REAL_PLATFORM, REAL_ADDRESS, REAL_PASSWORD and, where it connects by one, REAL_KEY in the
environment), since a marketplace of its own wants a process of its own.
"""

import os
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from crossdock_lab.facts import Facts
from crossdock_lab.scenes import loop
from crossdock_lab.stage import PATIENCE, Stage, now
from crossdock_lab.trial import Trial, Waited

SCENES = (
    loop.asking_price,
    loop.parcels,
    loop.cancelled_in_shop,
    loop.cancel_lifted,
    loop.rejected_here,
    loop.refused,
    loop.refund_there,
    loop.assessed,
)


def killed_worker(stage: Stage) -> None:
    """Orders are on their way when the worker is killed; each stands there once all the same, and its tracking code
    comes back.
    """
    from crossdock.store.models import Command

    ref, variant = stage.item(20)
    orders = [stage.buy(variant) for _ in range(3)]
    in_flight = Command.objects.filter(kind="create_order", state="in_flight")
    stage.trial.until(in_flight.exists, PATIENCE, "a command in flight", every=0.001)
    stage.trial.worker.kill()
    orders += [stage.buy(variant) for _ in range(2)]
    stage.trial.worker.start()
    for order in orders:
        stage.lands(order)
    standing = [stage.standing(order) for order in orders]
    stage.see(
        all(len(s) == 1 for s in standing),
        "S6",
        f"killed with orders in flight: {sum(map(len, standing))} copies of {len(orders)} orders",
    )
    everything = stage.trial.call(stage.shop.hand.orders())
    mine = Counter((s.buyer, s.lines) for s in everything if any(s.shop_id == one.shop_id for one, *_ in standing))
    stage.see(
        sum(mine.values()) == len(orders),
        "S6",
        f"{sum(mine.values())} orders by buyer and lines, without our reference",
    )
    for order, (copy, *_) in zip(orders, standing, strict=True):
        stage.trial.call(stage.shop.hand.fulfil(copy.shop_id, tracking=f"R-{order.number}", carrier="UPS"))
    back = lambda: all(order.shipments.filter(tracking_number=f"R-{order.number}").exists() for order in orders)  # noqa: E731
    stage.trial.until(back, PATIENCE, "the tracking codes")
    stage.see(all(order.shipments.count() == 1 for order in orders), "S7", "each tracking code came back once")
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(
        stage.count(ref) == 15,
        "S4",
        f"the shop counts {stage.count(ref)}, and {stage.available(variant)} can be sold here",
    )


def site_of(platform: str, address: str, password: str, key: str) -> Any:
    server = import_module(f"crossdock.connectors.{platform}.tests.real.server")
    return server.site(address, password, key)


def play(platform: str, address: str, password: str, key: str) -> int:
    facts = Facts()
    with Trial() as trial:
        from crossdock.demo.joining import join
        from crossdock.kit import discover
        from crossdock.store.models import User
        from crossdock_lab.buying import make_seller

        trial.start_web()
        trial.worker.start()
        site = site_of(platform, address, password, key)
        way, form = site.seller_form()
        seller = make_seller(name="Real seller", email="seller@example.test")
        connection = join(seller=seller, platform=platform, address=address, way=way, form=form, now=now())
        buyer = User.objects.create_user("buyer@example.test", None, name="Zoë Buyer")
        manifest = discover.connector(platform).manifest
        stage = Stage(trial, facts, platform, manifest, site, seller, connection, buyer)
        for scene in (killed_worker, *SCENES):
            try:
                scene(stage)
            except Waited as late:
                facts.see(False, "-", platform, "as-described", f"{scene.__name__}: {late}")
        trial.call(site.hand.close())
    return facts.end()


def played(platform: str, *, address: str, password: str, key: str = "") -> None:
    """The same in a process of its own; fails where a fact is wrong."""
    named = {"PLATFORM": platform, "ADDRESS": address, "PASSWORD": password, "KEY": key}
    environment = {**os.environ, **{f"REAL_{name}": value for name, value in named.items()}}
    words = [sys.executable, Path(__file__)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=800)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
    assert done.stdout.count("\nok ") >= 15


if __name__ == "__main__":
    named = [os.environ.get(f"REAL_{name}", "") for name in ("PLATFORM", "ADDRESS", "PASSWORD", "KEY")]
    sys.exit(play(*named))
