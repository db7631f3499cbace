"""A shop behind TLS: a small proxy before a simulated shop, whose certificate can run out."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

HOST = "127.0.0.1"
# Of one connection alone.
_HOPS = ("transfer-encoding", "content-length", "connection")


class Front:
    """Use it as a context manager. `authority` gets the certificate that whoever calls has to trust."""

    def __init__(self, shop_port: int, port: int, authority: Path) -> None:
        self.port, self._shop_port, self._authority = port, shop_port, authority

    def __enter__(self) -> "Front":
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._root = self._certificate(self._key, "authority", timedelta(days=30), root=True)
        self._authority.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls", daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self.renew()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}"

    def renew(self) -> None:
        """Good for a month."""
        self._do(self._open(timedelta(days=30)))

    def expire(self) -> None:
        """It ran out an hour ago; connections that stand are closed."""
        self._do(self._open(timedelta(hours=-1)))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _open(self, left: timedelta) -> None:
        await self._close()
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, ssl_context=self._context(left)).start()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _context(self, left: timedelta) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(key, HOST, left)
        file = self._authority.with_name("shop.pem")
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, form, plain)
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certificate(
        self, key: ec.EllipticCurvePrivateKey, name: str, left: timedelta, *, root: bool = False
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=90))
            .not_valid_after(now + left)
            .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        )
        if not root:
            made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        return made.sign(self._key, hashes.SHA256())

    async def _forward(self, request: web.Request) -> web.Response:
        """As a shop's own proxy does, which says that it was https."""
        there = URL(f"http://{HOST}:{self._shop_port}{request.raw_path}", encoded=True)
        head = {**request.headers, "X-Forwarded-Proto": "https"}
        async with aiohttp.ClientSession(auto_decompress=False) as line:
            body = await request.read()
            async with line.request(request.method, there, headers=head, data=body, allow_redirects=False) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOPS}
                return web.Response(status=answer.status, headers=kept, body=await answer.read())
