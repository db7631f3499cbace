"""`crossdock mcp`: speaks MCP on its standard input and output, and asks a marketplace's API with a seller's token.

It needs no database and no settings of the marketplace, so it runs where the seller's assistant runs.
"""

import argparse
import asyncio
import os
from importlib.util import find_spec
from urllib.parse import urlsplit

from crossdock.cli.trouble import Trouble

ADDRESS, TOKEN = "CROSSDOCK_MCP_ADDRESS", "CROSSDOCK_MCP_TOKEN"
_NEAR = ("127.0.0.1", "::1", "localhost")


def words(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"{ADDRESS} is the marketplace's address, {TOKEN} a seller's token, made in the panel under API tokens."
        " An assistant's program starts this command itself."
    )


def run(args: argparse.Namespace) -> int:
    address, token = _address(os.environ.get(ADDRESS, "")), os.environ.get(TOKEN, "").strip()
    if not token.startswith("cd_") or not token.isascii() or not token.isprintable():
        raise Trouble(f"Set {TOKEN} to a seller's token; it begins with cd_. The seller makes one under API tokens.")
    if find_spec("mcp") is None:
        raise Trouble("The package mcp is missing. Install it with: pip install 'crossdock[mcp]'.")
    from crossdock.cli.mcp.server import serve

    asyncio.run(serve(address, token))
    return 0


def _address(given: str) -> str:
    """Without a path's last slash. Raises Trouble: a token in the clear is anybody's on the way."""
    parts = urlsplit(given.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise Trouble(f"Set {ADDRESS} to the marketplace's address, such as https://market.example.")
    if parts.scheme == "http" and parts.hostname not in _NEAR:
        raise Trouble(f"{ADDRESS} has to begin with https://, or everybody on the way could read the token.")
    return given.strip().rstrip("/")
