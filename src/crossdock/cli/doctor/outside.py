"""What others see: the web server, the public address with its certificate, mail and money."""

import http.client
import json
import smtplib
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from urllib.parse import urlsplit

from crossdock.cli.doctor.finding import Finding, fix, look, ok
from crossdock.config import Config

SECONDS = 10.0
MOST_BYTES = 100_000
CERTIFICATE_LOOK, CERTIFICATE_FIX = timedelta(days=14), timedelta(days=3)
# No connection has this name, so that our door answers 404 in its own words.
DOOR = "/hooks/shop/doctor/doctor"
DOOR_SAYS = (404, b"nobody here\n")
_FROM_HERE = "This was asked from this machine; a firewall may still keep others out."


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: bytes
    location: str
    # None over plain http.
    expires: datetime | None


def ask(base: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answered:
    """One request; redirects are not followed. Raises OSError (TLS trouble included) and http.client.HTTPException."""
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port
    plain = http.client.HTTPConnection(host, port, timeout=SECONDS)
    connection = (
        http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
        if parts.scheme == "https"
        else plain
    )
    try:
        connection.connect()
        expires = _expires(connection.sock)
        said = headers or ({} if body is None else {"content-type": "application/json"})
        connection.request("GET" if body is None else "POST", path, body, dict(said))
        answer = connection.getresponse()
        return Answered(answer.status, answer.read(MOST_BYTES), answer.getheader("location") or "", expires)
    finally:
        connection.close()


def _expires(sock: socket.socket) -> datetime | None:
    if not isinstance(sock, ssl.SSLSocket):
        return None
    certificate = sock.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def web(config: Config) -> Iterable[Finding]:
    """The web server of this machine, which may have none."""
    try:
        answer = ask(config.local_url, "/healthz")
    except (OSError, http.client.HTTPException) as error:
        yield look(
            "web",
            f"Nothing answers at {config.local_url} ({why(error)}).",
            "Start `crossdock serve`, unless the web servers are on other machines.",
        )
        return
    served = _version(answer)
    if not served:
        yield fix(
            "web",
            f"Something else than Crossdock answers at {config.local_url}.",
            "Choose another CROSSDOCK_WEB_PORT, or stop that program.",
        )
    elif served != version("crossdock"):
        yield fix(
            "web",
            f"The web server runs version {served}, and {version('crossdock')} is installed.",
            "Restart it, and the workers.",
        )
    else:
        yield ok("web", f"The web server at {config.local_url} answers.")


def public(config: Config) -> Iterable[Finding]:
    """The way that buyers and shops come."""
    if not config.public_url:
        return
    from crossdock.kit.called import not_called

    for sentence in not_called(config.public_url):
        yield look("public address", sentence, "Change PUBLIC_URL to an address with one of these ports.")
    if not config.https:
        yield fix(
            "public address",
            "PUBLIC_URL is plain http: passwords and sessions travel readable.",
            "Put a proxy with TLS in front and change PUBLIC_URL to https.",
        )
    try:
        answer = ask(config.public_url, "/healthz")
        door = ask(config.public_url, DOOR, body=b"{}")
    except (OSError, http.client.HTTPException) as error:
        yield fix("public address", f"{config.public_url} cannot be reached ({why(error)}).", _remedy(error))
        return
    yield _page(config, answer)
    if answer.expires:
        yield _certificate(answer.expires, datetime.now(UTC))
    if (door.status, door.body) == DOOR_SAYS:
        yield ok("webhooks", f"What is posted to {config.public_url}/hooks/ arrives. {_FROM_HERE}")
    else:
        yield fix(
            "webhooks",
            f"What is posted to {config.public_url}/hooks/ does not arrive: {door.status} was answered on the way.",
            "Let the proxy or firewall pass POST to /hooks/ unchanged, without a sign-in or a test for robots.",
        )


def _page(config: Config, answer: Answered) -> Finding:
    if answer.location:
        return fix(
            "public address",
            f"{config.public_url} redirects to {answer.location[:200]}.",
            "Change PUBLIC_URL to the address at the end of the redirects: most shops follow none.",
        )
    if not _version(answer):
        return fix(
            "public address",
            f"{config.public_url} answers {answer.status}, and not as Crossdock does.",
            "Check where the proxy sends requests, and that it passes Host on.",
        )
    return ok("public address", f"{config.public_url} answers. {_FROM_HERE}")


def _certificate(expires: datetime, now: datetime) -> Finding:
    said = f"It ends on {expires:%d %B %Y}."
    if expires - now > CERTIFICATE_LOOK:
        return ok("certificate", said)
    told = fix if expires - now <= CERTIFICATE_FIX else look
    return told("certificate", said, "Renew it, and see why it was not renewed by itself.")


def mail(config: Config) -> Iterable[Finding]:
    """Signs in at the mail server and sends nothing."""
    if not config.smtp_host:
        told = fix if config.public_url else look
        yield told(
            "mail",
            "No mail server is named: confirmations, alerts and password resets reach nobody.",
            "Set CROSSDOCK_SMTP_HOST.",
        )
        return
    from django.core.mail import get_connection

    where = f"{config.smtp_host}:{config.smtp_port}"
    connection = get_connection()
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError:
        yield fix(
            "mail",
            f"{where} refuses the sign-in.",
            "Check CROSSDOCK_SMTP_USER and CROSSDOCK_SMTP_PASSWORD.",
        )
    except (OSError, smtplib.SMTPException) as error:
        yield fix(
            "mail",
            f"{where} does not take mail ({why(error)}).",
            "Check CROSSDOCK_SMTP_HOST, CROSSDOCK_SMTP_PORT and CROSSDOCK_SMTP_SECURITY.",
        )
    else:
        yield ok("mail", f"{where} takes mail from us. Whether it arrives is for your domain's SPF and DKIM to say.")
    finally:
        connection.close()
    if config.public_url and config.mail_from.endswith("@localhost>"):
        yield fix(
            "mail",
            "Mails are sent from an address at localhost, which mail servers refuse.",
            "Set CROSSDOCK_MAIL_FROM.",
        )


def money(config: Config) -> Iterable[Finding]:
    for about, name, also in (
        ("payments", config.payment_gateway, "CROSSDOCK_PAYMENT_GATEWAY"),
        ("labels", config.carrier, "CROSSDOCK_CARRIER"),
        ("payouts", config.payout_provider, "CROSSDOCK_PAYOUT_PROVIDER"),
    ):
        if name != "sandbox":
            tail = " `crossdock check payments` asks the provider." if about == "payments" else ""
            yield ok(about, f"They go through {name}.{tail}")
        elif config.public_url:
            yield look(about, "They are a sandbox's: nothing is charged, bought or paid out.", f"Set {also}.")


def _version(answer: Answered) -> str:
    """Empty: this is not our health page."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        return ""
    return str(told.get("version") or "") if isinstance(told, dict) and "worker_heartbeat_age" in told else ""


def why(error: Exception) -> str:
    """In a few words, without a full stop."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case socket.gaierror():
            return "the name is not known"
        case TimeoutError():
            return f"no answer within {SECONDS:.0f} seconds"
        case ConnectionRefusedError():
            return "the connection was refused"
    return str(error)[:200].rstrip(".") or type(error).__name__


def _remedy(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return "Install a certificate for this name from a known authority, with its whole chain."
        case socket.gaierror():
            return "Enter the name in the DNS, or correct PUBLIC_URL."
    return "Check that the proxy runs, and that its port is open."


def identity(config: Config) -> Iterable[Finding]:
    """What the identity provider of staff says of itself; nobody is signed in."""
    if config.oidc is None:
        return
    from crossdock.web.signin.identity.provider import Provider, ProviderTrouble

    try:
        provider = Provider(config.oidc)
        provider.endpoints()
        provider.key("")
    except ProviderTrouble as trouble:
        yield fix(
            "identity provider",
            f"Staff cannot sign in by {config.oidc_issuer}: {trouble}.",
            "Compare CROSSDOCK_OIDC_ISSUER letter by letter with “issuer” at its address followed by"
            " /.well-known/openid-configuration.",
        )
    else:
        yield ok("identity provider", f"{config.oidc_issuer} answers, with its keys.")
    if config.oidc_only and not config.oidc_password_for:
        yield look(
            "identity provider",
            "Staff have no other way in, so nobody comes in while it is away.",
            "Name one or two admins in CROSSDOCK_OIDC_PASSWORD_FOR.",
        )
