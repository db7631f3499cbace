"""One order to one agent, as the Universal Commerce Protocol v2026-04-08 has its order event webhook
(docs/specification/order.md, Order Event Webhook, and signatures.md, REST Request Signing): the headers of Standard
Webhooks, signed by RFC 9421 (HTTP Message Signatures) with ES256 and our own key, the body bound by its Content-Digest
(RFC 9530).

“Webhook payloads MUST be signed by the business”: method, host, path and query, who we are, digest and type. Beyond
what must be covered are the event's id and time, so that neither can be changed on the way, and `created` (RFC 9421,
2.3): a receiver may refuse what is old. `Webhook-Timestamp` is “Event occurrence timestamp (unix)”, and the same over
all tries. So is the id, a UUID (source/services/shopping/rest.openapi.json), which is the Idempotency-Key too, since
signatures.md wants one of every POST.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from yarl import URL

from crossdock.domain.agents.keys import BYTES, private_of
from crossdock.kit.notify import Letter, Signed

LABEL = "sig1"


def signed(letter: Letter, *, secrets: Sequence[str]) -> dict[str, str]:
    """The headers. The secret is a private JSON Web Key of P-256 with its `kid`."""
    key = json.loads(secrets[0])
    headers = {
        "Content-Type": "application/json",
        "Content-Digest": f"sha-256=:{b64encode(hashlib.sha256(letter.body).digest()).decode()}:",
        "UCP-Agent": f'profile="{letter.sender}"',
        "Webhook-Id": letter.id,
        "Webhook-Timestamp": str(int(letter.since.timestamp())),
        "Idempotency-Key": letter.id,
    }
    covered = {**_target("POST", letter.url), **{name.lower(): value for name, value in headers.items()}}
    names = " ".join(f'"{name}"' for name in covered)
    parameters = f'({names});created={int(letter.at.timestamp())};keyid="{key["kid"]}"'
    signature = b64encode(es256(private_of(key), base(covered, parameters))).decode()
    return {**headers, "Signature-Input": f"{LABEL}={parameters}", "Signature": f"{LABEL}=:{signature}:"}


def _target(method: str, url: str) -> dict[str, str]:
    """Where it goes, as the transport writes it on the wire (RFC 9421, 2.2): the host in small letters without the
    port that its scheme has anyway; a query only where there is one.
    """
    parts = URL(url, encoded=True)
    query = {"@query": f"?{parts.raw_query_string}"} if parts.raw_query_string else {}
    host = (parts.host_port_subcomponent or "").lower()
    return {"@method": method, "@authority": host, "@path": parts.raw_path or "/", **query}


def base(covered: Mapping[str, str], parameters: str) -> bytes:
    """What is signed (RFC 9421, 2.5): a line for each covered component, in the order of the parameters, which are the
    last line. Raises ValueError for a value that would not stand on one line of ASCII.
    """
    lines = [f'"{name}": {value.strip()}' for name, value in covered.items()]
    if any("\n" in line or "\r" in line or not line.isascii() for line in lines):
        raise ValueError("A header cannot be signed: it is not one line of ASCII.")
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()


def es256(key: ec.EllipticCurvePrivateKey, said: bytes) -> bytes:
    """ECDSA with P-256 and SHA-256 as `r||s`, 32 bytes each: “fixed-width raw r||s encoding per RFC 9421, not
    ASN.1/DER” (signatures.md).
    """
    r, s = decode_dss_signature(key.sign(said, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(BYTES, "big") + s.to_bytes(BYTES, "big")


notifier = Signed(signed)
