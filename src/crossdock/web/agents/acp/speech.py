"""What is refused, in the protocol's one flat shape: type, code, message and where it stands."""

from crossdock.web.agents.refusing import Refusal, Speech, Written

VERSIONS = ("2026-04-17",)


def _refused(refusal: Refusal) -> Written:
    kind = "invalid_request"
    if refusal.status >= 500:
        kind = "service_unavailable" if refusal.status == 503 else "processing_error"
    said = {"type": kind, "code": refusal.code, "message": refusal.message, **refusal.more}
    return refusal.status, {**said, "param": refusal.param} if refusal.param else said


ACP = Speech(
    name="acp",
    switch="AGENTS",
    refused=_refused,
    keyed=True,
    other_body=422,
    replayed={"Idempotent-Replayed": "true"},
)
