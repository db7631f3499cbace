"""How many deliveries a second one door process takes, against the wall: the same server, signature check and answer
without a database.

    python tests/support/bench_door.py [seconds]

Both run in the same minutes on the same machine, so the ratio means something even when the machine is busy. The
database keeps its fsync.
"""

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "src")]
SECRET, CONNECTIONS, BODY = "toy-secret", 128, 3100


def requests(public_id: str, many: int) -> list[bytes]:
    """Signed and complete, made before the clock starts."""
    made = []
    for number in range(many):
        body = json.dumps({"topic": "order", "id": str(number), "pad": "x" * (BODY - 50)}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        head = (
            f"POST /hooks/shop/toy/{public_id} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\nx-toy-signature:"
            f" {signature}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class Sender(asyncio.Protocol):
    """One kept connection: the next delivery follows the answer."""

    def __init__(self, waiting: list[bytes], taken: list[float], wrong: list[bytes]) -> None:
        self.waiting, self.taken, self.wrong = waiting, taken, wrong
        self.buffer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        if not self.waiting:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.at = time.perf_counter()
        self.transport.write(self.waiting.pop())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.buffer.endswith((b"\r\n\r\n", b"\n")) or b"\r\n\r\n" not in self.buffer:
            return
        data, self.buffer = self.buffer, b""
        self.taken.append(time.perf_counter() - self.at)
        if not data.startswith(b"HTTP/1.1 200"):
            self.wrong.append(data[:60])
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, waiting: list[bytes]) -> tuple[float, list[float], list[bytes]]:
    taken: list[float] = []
    wrong: list[bytes] = []
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    senders = [
        await loop.create_connection(lambda: Sender(waiting, taken, wrong), "127.0.0.1", port)
        for _ in range(CONNECTIONS)
    ]
    await asyncio.gather(*(sender.done for _, sender in senders))
    return time.perf_counter() - begun, taken, wrong


async def wall(scope: Any, receive: Any, send: Any) -> None:
    """What no database could beat: read, check, answer."""
    if scope["type"] == "lifespan":
        return
    body = (await receive())["body"]
    given = dict(scope["headers"]).get(b"x-toy-signature", b"").decode()
    ok = hmac.compare_digest(hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(), given)
    await send({"type": "http.response.start", "status": 200 if ok else 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def serve(which: str, port: int, ready: Any) -> None:
    import django
    import uvicorn

    django.setup()
    from crossdock.kit import discover
    from crossdock.web.door import Door
    from toy import ToyConnector

    toy = ToyConnector()
    discover.connectors = lambda: {"toy": toy}  # type: ignore[assignment]
    app: Any = wall if which == "wall" else Door()
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)

    async def run() -> None:
        asyncio.get_running_loop().call_later(0.5, ready.set)
        await server.serve()

    import uvloop

    if os.environ.get("PROFILE") == which:
        import cProfile

        profile = cProfile.Profile()

        def stop() -> None:
            profile.disable()
            profile.print_stats("tottime")
            sys.stdout.flush()
            os._exit(0)

        async def profiled() -> None:
            asyncio.get_running_loop().call_later(8, stop)
            await run()

        profile.enable()
        uvloop.run(profiled())
    uvloop.run(run())


def cpu(pid: int | None) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(which: str, public_id: str, many: int) -> tuple[float, float, float, int]:
    """(deliveries a second, p50 and p99 in ms, how many were not answered 200)."""
    import uvloop

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=serve, args=(which, port, ready))
    child.start()
    ready.wait(30)
    time.sleep(0.5)
    waiting = requests(public_id, many)
    uvloop.run(load(port, waiting[:500]))
    before = cpu(child.pid)
    seconds, taken, wrong = uvloop.run(load(port, waiting))
    used = cpu(child.pid) - before
    child.terminate()
    child.join(20)
    if wrong:
        print(which, "answered", wrong[:3])
    cuts = statistics.quantiles(taken, n=100)
    print(
        f"{which:>5}: {len(taken) / seconds:7.0f} a second, p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms,"
        f" {used / len(taken) * 1e6:.0f} us of server CPU each",
        flush=True,
    )
    return len(taken) / seconds, cuts[49] * 1000, cuts[98] * 1000, len(wrong)


def main() -> int:
    many = int(float(sys.argv[1]) * 9000) if len(sys.argv) > 1 else 40_000
    folder = tempfile.mkdtemp(prefix="crossdock-bench-")
    os.chmod(folder, 0o755)
    os.environ.update(
        CROSSDOCK_DATA=folder,
        CROSSDOCK_DEMO="true",
        DJANGO_SETTINGS_MODULE="crossdock.settings",
        CROSSDOCK_LOG_LEVEL="ERROR",
    )
    os.environ.pop("DATABASE_URL", None)
    from crossdock.cli.postgres import Cluster
    from crossdock.config import Config

    cluster = Cluster.of(Config())
    cluster.start()
    try:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
        import market
        from crossdock.store.models import Delivery
        from crossdock.store.vault import seal

        shop = market.connection(market.seller())
        shop.secrets = seal({"hook": SECRET})
        shop.save()
        bare, *_ = measure("wall", shop.public_id, many)
        kept, _, _, wrong = measure("door", shop.public_id, many)
        rows = Delivery.objects.filter(topic="order").count()
        print(f"ratio {kept / bare:.2f}; {rows} rows kept for {many} deliveries, {wrong} not taken")
        return 0 if rows >= many - wrong else 1
    finally:
        from django.db import connections

        connections.close_all()
        cluster.stop()
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
