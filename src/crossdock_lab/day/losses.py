"""The afternoon: what is lost, fills up or runs out, each seen in the metrics and in the alert rules, each mended."""

import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from crossdock_lab.day.machine import CROWDED, ROOMY
from crossdock_lab.day.play import Day, said
from crossdock_lab.day.tls import Front
from crossdock_lab.ports import free_ports

# A minute, and the alert's patience.
AWAY_SECONDS = 60.0


def database(day: Day) -> None:
    """Away for more than a minute."""
    machines, watch = day.machines, day.watch
    before = machines.within("rows")
    begun = time.monotonic()
    machines.at_database("database", "stop")
    page, health = machines.get("/"), machines.get("/healthz")
    day.see(
        page.status == 503 and health.status == 503,
        "D5",
        "database away",
        f"a page says {page.status}, /healthz {health.status}",
    )
    day.see(
        "try again" in page.text.lower() or "in a moment" in page.text.lower(),
        "D5",
        "database away",
        "with words that people understand",
    )
    took = day.fires("CrossdockDatabaseAway", 120)
    day.see(took is not None, "D5", "database away", f"CrossdockDatabaseAway fires {said(took)}")
    day.see(watch.figure("crossdock_database_up") == 0, "D5", "database away", "crossdock_database_up is 0")
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - begun)))
    machines.at_database("database", "start")
    took = day.soon(lambda: machines.get("/healthz").status == 200, 60)
    day.see(took is not None, "D5", "database back", f"the same web server answers {said(took)}")
    took = day.soon(lambda: (watch.figure("crossdock_worker_silent_seconds") or 99) < 30, 90)
    same = machines.alive(machines.worker) and machines.alive(machines.web)
    day.see(took is not None and same, "D5", "database back", f"the same worker works {said(took)}")
    day.see(day.quiet("CrossdockDatabaseAway", 60) is not None, "D5", "database back", "the alert is over")
    now = machines.within("rows")
    lost = {name: (many, now.get(name)) for name, many in before.items() if (now.get(name) or 0) < many}
    day.see(not lost, "D5", "database back", f"nothing is lost {lost or ''}")
    day.buy()
    day.see(True, "D5", "database back", "orders go on, and their mails")


def workers(day: Day) -> None:
    """One of two, and then the other, by kill -9."""
    machines, watch = day.machines, day.watch
    joined = machines.within("join_at", _shops(day), day.platform, _address(day), 10)
    first, second = machines.worker, machines.start("work")
    took = day.soon(lambda: watch.figure("crossdock_workers") == 2, 60)
    day.see(took is not None, "D6", "worker lost", f"crossdock_workers says 2 {said(took)}")
    held = day.soon(lambda: bool(machines.within("lease", joined["party"])), 60)
    machines.lost(first)
    machines.worker = second
    begun = time.time()
    took = day.soon(lambda: machines.within("read_at", joined["connection"]) > begun, 90)
    day.see(
        took is not None,
        "D6",
        "worker lost",
        f"one of two killed with -9{' while it or its mate held the shop' if held is not None else ''}; the shop is"
        f" read again {said(took)}",
    )
    took = day.soon(lambda: watch.figure("crossdock_workers") == 1, 120)
    day.see(took is not None, "D6", "worker lost", f"crossdock_workers says 1 {said(took)}")
    took = day.fires("CrossdockWorkerLost", 240)
    day.see(took is not None, "D6", "worker lost", f"CrossdockWorkerLost fires {said(took)}")
    machines.lost(second)
    took = day.fires("CrossdockNoWorker", 300)
    day.see(took is not None, "D6", "no worker", f"CrossdockNoWorker fires {said(took)}")
    wrong = [one["said"] for one in machines.doctor() if one["about"] == "worker" and one["state"] == "fix"]
    day.see(bool(wrong), "D6", "no worker", f"doctor: {wrong[0] if wrong else 'nothing'}")
    machines.worker = machines.start("work")
    took = day.quiet("CrossdockNoWorker", 90)
    day.see(took is not None, "D6", "worker back", f"the alert is over {said(took)}")
    day.buy()
    day.see(True, "D6", "worker back", "orders go on, and their mails")


def _shops(day: Day) -> Path:
    """The list of the simulated ones, opened by the first that asks."""
    listing = day.machines.folder / "shops.json"
    return listing if listing.exists() else day.machines.simulate()


def _address(day: Day) -> str:
    rows = json.loads(_shops(day).read_text())
    return str(next(row["address"] for row in rows if row["platform"] == day.platform))


def disk(day: Day) -> None:
    """The web machine's own small disk: crowded, then full, then roomy again."""
    machines = day.machines
    if not machines.small_disk:
        day.see(True, "D7", "disk", "not played: this user may not mount a small disk")
        return
    machines.resize_disk(CROWDED)
    took = day.holds("CrossdockDiskLow", 60)
    day.see(
        took is not None, "D7", "disk crowded", f"CrossdockDiskLow holds {said(took)}, and fires after 5 minutes of it"
    )
    health = machines.get("/healthz?deep=1")
    day.see(
        "disk" in health.text and health.status == 503, "D7", "disk crowded", f"/healthz?deep=1 says {health.status}"
    )
    wrong = [one["said"] for one in machines.doctor() if one["about"] == "disk" and one["state"] == "fix"]
    day.see(bool(wrong), "D7", "disk crowded", f"doctor: {wrong[0] if wrong else 'nothing'}")
    machines.resize_disk(str(machines.used_of_disk() + 16 * 4096))
    cookie = machines.within("session", "seller-9@bench.test")
    picture = _noise()
    fields = {"title": "Full", "description": "", "price": "10.00", "count": "1", "addresses": ""}
    page = machines.post("/seller/listings/new/", fields, {"upload": picture}, cookie=cookie)
    day.see(
        page.status == 422 and "no room" in page.text,
        "D7",
        "disk full",
        f"a picture is refused with {page.status} and words, the form stays",
    )
    made = machines.asked("backup", str(machines.data / "full.backup"))
    left = [path.name for path in machines.data.glob("full.backup*")]
    day.see(
        made.returncode == 1 and not left,
        "D7",
        "disk full",
        f"a backup onto it leaves nothing behind {left or ''}: {made.stderr.strip()[-120:]}",
    )
    day.buy()
    day.see(True, "D7", "disk full", "orders without pictures go on")
    machines.resize_disk(ROOMY)
    page = machines.post("/seller/listings/new/", fields, {"upload": picture}, cookie=cookie)
    day.see(page.status in (200, 302), "D7", "disk roomy", f"the same picture is taken ({page.status})")
    day.see(day.quiet("CrossdockDiskLow", 60) is not None, "D7", "disk roomy", "the alert is over")


def _noise() -> bytes:
    """A picture that does not get smaller."""
    from PIL import Image

    size = 700
    image = Image.frombytes("RGB", (size, size), Random(7).randbytes(size * size * 3))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def certificate(day: Day) -> None:
    """A shop whose certificate runs out and is renewed."""
    machines = day.machines
    port = int(_address(day).rpartition(":")[2])
    with Front(port, free_ports(), machines.authority) as front:
        # Whoever calls reads the authorities at its start.
        for child in (machines.web, machines.worker):
            machines.stop(child)
        machines.begin()
        joined = machines.within("join_at", _shops(day), day.platform, front.address, 11)
        took = day.soon(lambda: machines.within("read_at", joined["connection"]) > 0, 90)
        day.see(took is not None, "D8", "certificate", f"a shop is read over TLS {said(took)}")
        front.expire()
        took = day.holds("CrossdockShopsFail", 120)
        day.see(
            took is not None,
            "D8",
            "certificate expired",
            f"CrossdockShopsFail holds {said(took)}, and fires after a while",
        )
        words = machines.within("trouble", joined["connection"])
        day.see("expired" in words, "D8", "certificate expired", f"seller and staff read: {words}")
        front.renew()
        took = day.quiet("CrossdockShopsFail", 400)
        day.see(took is not None, "D8", "certificate renewed", f"the shop works by itself {said(took)}")


def afterwards(day: Day) -> None:
    """In the evening everything is as it was, with one more for each deed."""
    rows = day.machines.within("rows")
    day.see(rows["store_order"] == day.placed, "D9", "evening", f"{rows['store_order']} orders, as many as were placed")
    bad = [one for one in day.machines.doctor() if one["state"] == "fix"]
    day.see(not bad, "D9", "evening", f"doctor has nothing to mend {[one['said'] for one in bad] or ''}")


SCENES: Sequence[Callable[[Day], None]] = (database, workers, disk, certificate)
