"""Where the marketplace tells of itself: whether that is there and takes what is sent."""

import http.client
from collections.abc import Iterable
from urllib.parse import urlsplit

from crossdock.cli.doctor.finding import Finding, fix, look, ok
from crossdock.cli.doctor.outside import ask, why
from crossdock.cli.extras import missing
from crossdock.config import Config


def packages(config: Config) -> Iterable[Finding]:
    for sentence in missing(config):
        said, _, do = sentence.partition("; ")
        yield fix("packages", f"{said}.", f"{do[:1].upper()}{do[1:]}")


def traces(config: Config) -> Iterable[Finding]:
    """A sending without a single span, which every collector takes."""
    if not config.traces_url:
        return
    parts = urlsplit(config.traces_url)
    where = f"{parts.scheme}://{parts.netloc}"
    headers = {"content-type": "application/x-protobuf", **config.traces_sent_with}
    try:
        answer = ask(where, parts.path or "/", body=b"", headers=headers)
    except (OSError, http.client.HTTPException) as error:
        yield look(
            "traces",
            f"Nothing takes them at {where} ({why(error)}): orders go on, and spans are thrown away.",
            "Start the collector, or correct CROSSDOCK_TRACES_URL.",
        )
        return
    if answer.status in (401, 403):
        yield fix("traces", f"{where} refuses us ({answer.status}).", "Check CROSSDOCK_TRACES_HEADERS.")
    elif answer.status >= 300:
        yield fix(
            "traces",
            f"{where} answers {answer.status} to spans sent to {parts.path or '/'}.",
            "Check the path in CROSSDOCK_TRACES_URL; of most collectors it is /v1/traces.",
        )
    else:
        yield ok("traces", f"{where} takes spans; {config.traces_share:.0%} of the ways are told.")
