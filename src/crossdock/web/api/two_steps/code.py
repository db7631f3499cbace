"""The code that confirms a preview: signed, kept nowhere, good for a few minutes.

It carries whose token it is of, the deed with its arguments, and a digest of what was seen. Nobody without the
installation's key can make or change one. That it is used once is the matter of `once`, under a key made of it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing

from crossdock.store.models import ApiToken
from crossdock.web.api.problems import Refuse

LIFE = timedelta(minutes=10)
_SIGNER = signing.Signer(salt="crossdock.api.two_steps")


@dataclass(frozen=True, slots=True)
class Code:
    """`about` is the public id of the order or listing; `asked` the arguments as JSON; `ends` in seconds since 1970."""

    token: int
    deed: str
    about: str
    asked: dict[str, Any]
    seen: str
    ends: int

    def ended(self, now: datetime) -> bool:
        return now.timestamp() >= self.ends


def written(code: Code) -> str:
    return _SIGNER.sign_object(asdict(code), compress=True)


def read(text: str, token: ApiToken) -> Code:
    """Raises Refuse for what was not made here, and for another token's, in the same words."""
    try:
        code = Code(**_SIGNER.unsign_object(text))
    except (signing.BadSignature, TypeError, ValueError):
        code = None
    if code is None or code.token != token.pk:
        raise Refuse("invalid", "This is no confirmation code of this token. Ask for a preview: it comes with one.")
    return code


def key_of(text: str) -> str:
    """Under which the answer is kept."""
    return "confirm-" + hashlib.sha256(text.encode()).hexdigest()[:48]


def digest(seen: Any) -> str:
    """Of JSON values; equal for what looks equal."""
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:24]
