"""An id token: whether it is this provider's, for us, for this sign-in, and still good (OpenID Connect Core, 3.1.3.7).

The signature is always checked, also where the token came straight from the provider: the code that led to it went
through a browser.
"""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossdock.identity import Oidc
from crossdock.web.signin.identity.provider import Provider

# Never what the token says of itself alone: by a public key, so no `none` and no shared secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY = 60
# A token says when the person proved themselves; asked anew, that was a moment ago.
JUST_NOW = 300
LONGEST_SUBJECT = 255
LONGEST_TOKEN = 20_000


class WrongToken(Exception):
    """Why it is not believed, for the log."""


@dataclass(frozen=True, slots=True)
class Claims:
    """`identity` is who they are there: the issuer, a space and its name for them. `email` is empty unless the provider
    says that it is proved. `two_factors`: it says that it asked for two.
    """

    identity: str
    email: str
    two_factors: bool


def believed(token: str, *, provider: Provider, nonce: str, again: bool) -> Claims:
    """`again`: they had to prove anew who they are. Raises WrongToken and ProviderTrouble."""
    import jwt

    oidc = provider.oidc
    if len(token) > LONGEST_TOKEN:
        raise WrongToken("it is too long")
    try:
        header = jwt.get_unverified_header(token)
        algorithm, kid = str(header.get("alg")), str(header.get("kid") or "")
        if algorithm not in ALGORITHMS:
            raise WrongToken(f"it is signed by {algorithm[:20]!r}")
        key = provider.key(kid)
        if key is None:
            raise WrongToken("no key of the provider signed it")
        said: dict[str, Any] = jwt.decode(
            token,
            key=jwt.PyJWK(dict(key), algorithm=algorithm),
            algorithms=[algorithm],
            issuer=oidc.issuer,
            audience=oidc.client_id,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise WrongToken(type(error).__name__) from error
    _for_us(said, oidc)
    if not hmac.compare_digest(str(said.get("nonce", "")).encode(), nonce.encode()):
        raise WrongToken("it belongs to another sign-in")
    if again and not _just_now(said.get("auth_time")):
        raise WrongToken("nobody proved anew who they are")
    return _claims(said, oidc)


def _for_us(said: Mapping[str, Any], oidc: Oidc) -> None:
    """One for several, or by another client's asking, is not for us."""
    audience = said["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in said) and said.get("azp") != oidc.client_id:
        raise WrongToken("it is another client's")


def _just_now(at: object) -> bool:
    return isinstance(at, int | float) and not isinstance(at, bool) and -LEEWAY <= time.time() - at <= JUST_NOW


def _true(value: object) -> bool:
    """Some providers write it as a word; 1 is neither."""
    return value is True or value == "true"


def _claims(said: Mapping[str, Any], oidc: Oidc) -> Claims:
    subject = said["sub"]
    if not isinstance(subject, str) or not subject.strip() or len(subject) > LONGEST_SUBJECT or "\x00" in subject:
        raise WrongToken("it names nobody")
    email = said.get("email")
    proved = _true(said.get("email_verified")) and isinstance(email, str) and "\x00" not in str(email)
    amr = said.get("amr")
    told = {str(one) for one in amr} if isinstance(amr, list) else set[str]()
    told.add(str(said.get("acr", "")))
    return Claims(f"{oidc.issuer} {subject}", str(email).strip() if proved else "", bool(told & oidc.second_factor))
