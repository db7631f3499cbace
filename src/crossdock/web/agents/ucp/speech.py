"""What is refused, in the protocol's two ways: a request that cannot be worked on has a status and a code, and what was
understood and came to nothing is a 200 whose `ucp.status` is “error”.
"""

from typing import Any

from django.conf import settings

from crossdock.domain.agents.ucp import VERSION
from crossdock.web.agents.refusing import Refusal, Speech, Written


def home() -> str:
    """Where the buyer goes on in a browser."""
    return f"{settings.BASE_URL}/"


def _refused(refusal: Refusal) -> Written:
    if not refusal.outcome:
        where = f"{refusal.param}: " if refusal.param and not refusal.message.startswith(refusal.param) else ""
        return refusal.status, {"code": refusal.code, "content": f"{where}{refusal.message}", "continue_url": home()}
    said: dict[str, Any] = {"type": "error", "code": refusal.code, "content": refusal.message}
    if refusal.param:
        said["path"] = refusal.param
    return 200, {
        "ucp": {"version": VERSION, "status": "error", "capabilities": {}},
        "messages": [{**said, "severity": "unrecoverable"}],
        "continue_url": home(),
    }


UCP = Speech(name="ucp", switch="AGENTS_UCP", refused=_refused, keyed=False, other_body=409, replayed={})
