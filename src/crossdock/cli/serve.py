"""`crossdock serve`: uvicorn on our ASGI application. SIGTERM lets requests in flight finish."""

import argparse
import os
import sys

from crossdock.cli import database, extras, ports
from crossdock.config import load
from crossdock.kit.called import not_called

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
    extras.there(config)
    ports.free(config.web_host, config.web_port, what="the web server", setting="CROSSDOCK_WEB_PORT")
    database.ready()
    database.let_go()
    if config.https and not config.trusted_proxies:
        print(
            "crossdock: PUBLIC_URL is https, and TRUSTED_PROXIES names no proxy: visitors' addresses are not known, so"
            " rate limits count the proxy.",
            file=sys.stderr,
        )
    for words in not_called(config.public_url):
        print(f"crossdock: {words} Change PUBLIC_URL to an address with one of these ports.", file=sys.stderr)
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
