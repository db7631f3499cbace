"""What could not be read, by cause: what happened then, what today's code makes of it, and one button for all of a
cause.
"""

import asyncio
import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.roles import Right
from crossdock.kit import discover, replay
from crossdock.store.models import Quarantined, User
from crossdock.store.models.quarantine import STANDING, QuarantineKind, QuarantineState
from crossdock.usecases.parties.quarantine import MEANING
from crossdock.usecases.record.audit import exported
from crossdock.usecases.support import quarantine_board
from crossdock.usecases.support.queries import quarantined
from crossdock.web.forms import one_of, typed
from crossdock.web.staff.panel import show, staff_only

TABS = {"held": "Open", "dismissed": "Dismissed", "foreign": "Not ours", "healed": "Resolved"}
STATE_WORDS = {
    QuarantineState.HELD: ("Tried again by itself", "warn"),
    QuarantineState.RELEASED: ("Being tried now", "info"),
    QuarantineState.DISMISSED: ("Dismissed", ""),
    QuarantineState.FOREIGN: ("Not ours", ""),
    QuarantineState.HEALED: ("Healed", "good"),
}
_MOST_ALIKE = 50


@staff_only(Right.WORK)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which = one_of(request.GET, "which", TABS, "held")
    context = {"groups": quarantine_board.groups(which=which), "which": which, "tabs": list(TABS.items())}
    return show(request, "quarantine", context, here="quarantine")


def _row(pk: int) -> Quarantined:
    return get_object_or_404(quarantined(), pk=pk)


def _file(row: Quarantined) -> dict[str, Any] | None:
    if row.connection is None:
        return None
    speaker = discover.connectors().get(row.connection.platform)
    return quarantine_board.case_file(row=row, now=timezone.now(), manifest=speaker.manifest if speaker else None)


@staff_only(Right.WORK)
@require_safe
def one(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    row = _row(pk)
    document = _file(row)
    word, tone = STATE_WORDS[QuarantineState(row.state)]
    calls = document["calls"] if document else []
    context = {
        "row": row,
        "word": word,
        "tone": tone,
        "meaning": MEANING[QuarantineKind(row.kind)],
        "standing": row.state in STANDING,
        "alike": quarantine_board.alike(row=row, limit=_MOST_ALIKE),
        "calls": calls,
        "played": _play(document) if calls and "play" in request.GET else None,
        "file_name": f"quarantine-{row.pk}.json",
    }
    return show(request, "quarantined", context, here="quarantine")


def _play(document: dict[str, Any] | None) -> list[replay.Played]:
    """What today's connector makes of the recorded answers, offline. Empty when its platform is not installed."""
    read = replay.read(json.dumps(document))
    speaker = discover.connectors().get(read.shop.platform) if read.shop else None
    return asyncio.run(replay.play(read, speaker)) if speaker else []


@staff_only(Right.WORK)
@require_safe
def file(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    """The same for `crossdock replay`."""
    row = _row(pk)
    exported(actor=staff, what="quarantine file", now=timezone.now(), detail={"quarantined": row.pk})
    text = json.dumps(_file(row) or {}, ensure_ascii=False, indent=1)
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="quarantine-{row.pk}.json"'
    return answer


@staff_only(Right.WORK)
@require_POST
def end(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    """All that stand for the same cause: tried now, or left alone."""
    row, now = _row(pk), timezone.now()
    deed = typed(request.POST, "deed", longest=10)
    if deed == "release":
        many = quarantine_board.release(causes=[row.cause], actor=staff, now=now)
        messages.success(request, f"{many} {'is' if many == 1 else 'are'} tried now.")
    elif deed == "dismiss":
        many = quarantine_board.dismiss(causes=[row.cause], actor=staff, now=now)
        messages.success(request, f"{many} {'is' if many == 1 else 'are'} left alone until the cause is another.")
    else:
        messages.error(request, "Choose what to do.")
    return redirect("staff_quarantine")
