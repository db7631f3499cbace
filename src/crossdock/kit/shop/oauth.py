"""Signing in at a platform by OAuth 2: the code that a browser brings back, and tokens that do not last (RFC 6749); and
requests that are signed by OAuth 1.0a.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY
from oauthlib.oauth1 import Client as Signer

from crossdock.kit.connector import Redirect
from crossdock.kit.errors import AuthDead, BadInput, Strange
from crossdock.kit.json_node import Node

LONGEST_TOKEN = 10 * 365 * 24 * 3600
Verb = Literal["GET", "POST", "PUT", "DELETE"]
BEGIN_AGAIN = "Begin again from “Connect a shop”."


def authorize(url: str, *, client_id: str, scopes: Sequence[str], return_url: str, state: str) -> Redirect:
    """To the platform's page of consent; `state` is kept, to be compared with what comes back."""
    query = {"client_id": client_id, "scope": ",".join(scopes), "redirect_uri": return_url, "state": state}
    return Redirect(f"{url}?{urlencode(query)}", {"state": state})


def begun_here(params: Mapping[str, str], keep: Mapping[str, str]) -> None:
    """Raises BadInput when the answer belongs to no sign-in of ours."""
    if not keep.get("state") or params.get("state") != keep["state"]:
        raise BadInput(f"This sign-in was not started here. {BEGIN_AGAIN}")


def tokens(answer: Node, *, sent: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The secrets to keep out of a token endpoint's answer to `sent`."""
    secrets = {"access_token": answer.secret("access_token")}
    seconds = answer.opt_int("expires_in")
    if seconds is not None:
        if not 0 <= seconds <= LONGEST_TOKEN:
            raise Strange(f"{answer.path}.expires_in", "time that a token lasts", seconds)
        secrets["expires_at"] = (now + timedelta(seconds=seconds)).isoformat()
    if "refresh_token" in answer:
        secrets["refresh_token"] = answer.secret("refresh_token")
    elif "refresh_token" in sent:
        # "The authorization server MAY issue a new refresh token" (RFC 6749, 6): without one the old one goes on.
        secrets["refresh_token"] = sent["refresh_token"]
    return secrets


def refresh(secrets: Mapping[str, str]) -> dict[str, str]:
    """What asks for fresh tokens. Raises AuthDead when there is nothing to ask with."""
    if not (kept := secrets.get("refresh_token", "")):
        raise AuthDead("There is nothing to renew this access with. Connect the shop again.")
    return {"grant_type": "refresh_token", "refresh_token": kept}


def renew_at(secrets: Mapping[str, str], early: timedelta) -> datetime | None:
    """So long before the token ends; None when it lasts."""
    ends = secrets.get("expires_at", "")
    return datetime.fromisoformat(ends) - early if ends else None


def signed(
    method: Verb, url: str, keys: Sequence[str], *, at: datetime | None = None, in_query: bool = False
) -> tuple[str, dict[str, str]]:
    """The address and the headers of a request, its signature in either, by OAuth 1.0a with HMAC-SHA256. `keys` are the
    consumer's key and secret, then the token's. A JSON body is no part of it (RFC 5849, 3.4.1.3.1).
    """
    names = ("client_key", "client_secret", "resource_owner_key", "resource_owner_secret")
    signer = Signer(
        **dict(zip(names, keys, strict=False)),
        signature_method=SIGNATURE_HMAC_SHA256,
        signature_type=SIGNATURE_TYPE_QUERY if in_query else SIGNATURE_TYPE_AUTH_HEADER,
        timestamp=str(int(at.timestamp())) if at else None,
    )
    where, headers, _ = signer.sign(url, http_method=method)
    return where, dict(headers)
