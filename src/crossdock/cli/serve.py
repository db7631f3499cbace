"""`crossdock serve`: uvicorn on our ASGI application. SIGTERM lets requests in flight finish."""

import argparse
import os
import sys
from urllib.parse import urlsplit

from crossdock.cli import database, planted, ports
from crossdock.config import load
from crossdock.kit import discover

GRACE_SECONDS = 10


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (CROSSDOCK_WEB_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on (CROSSDOCK_WEB_PORT)")
    parser.add_argument("--processes", type=int, help="server processes (CROSSDOCK_WEB_PROCESSES)")


def run(args: argparse.Namespace) -> int:
    for name in ("host", "port", "processes"):
        if getattr(args, name) is not None:
            os.environ[f"CROSSDOCK_WEB_{name.upper()}"] = str(getattr(args, name))
    # Threads of a web server come and go: they share a pool of connections.
    os.environ.setdefault("CROSSDOCK_DATABASE_POOL", "10")
    config = load()
    ports.free(config.web_host, config.web_port, what="the web server", setting="CROSSDOCK_WEB_PORT")
    database.ready()
    planted.if_asked()
    if config.https and not config.trusted_proxies:
        print(
            "crossdock: PUBLIC_URL is https, and TRUSTED_PROXIES names no proxy: visitors' addresses are not known, so"
            " rate limits count the proxy.",
            file=sys.stderr,
        )
    for words in _uncalled(config.public_url):
        print(f"crossdock: {words}", file=sys.stderr)
    import uvicorn

    from crossdock.web.slow import Impatient

    uvicorn.run(
        "crossdock.web.asgi:application",
        host=config.web_host,
        port=config.web_port,
        workers=config.web_processes,
        loop="uvloop",
        http=Impatient,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return 0


def _uncalled(public_url: str) -> list[str]:
    """Platforms whose shops can never call this address, so that their webhooks never arrive."""
    parts = urlsplit(public_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not public_url or parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return []
    found = [speaker.manifest for speaker in discover.connectors().values()]
    return [
        f"PUBLIC_URL has port {port}, and {one.label} shops call only {', '.join(map(str, sorted(one.hook_ports)))}:"
        " their webhooks do not arrive, and they are asked instead."
        for one in found
        if one.hook_ports and port not in one.hook_ports
    ]
