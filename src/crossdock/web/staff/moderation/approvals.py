"""New sellers who ask to be approved, and those of whom something changed since: what they brought, and a decision."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.moderation.approval import LONGEST, WORDS, Deed, Stage, changed_words
from crossdock.domain.moderation.particulars import KINDS, Kind
from crossdock.domain.roles import Right
from crossdock.store.models import SellerApproval, User
from crossdock.usecases.accounts.approving import approvals, approve, lines_of, looked, send_back, steps_of
from crossdock.usecases.accounts.details import KeyLost, document_of, has_document, particulars_of
from crossdock.usecases.errors import Problem, Stale
from crossdock.web.forms import one_of, typed
from crossdock.web.pictures import shown
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import page_of, show, staff_only

WHICH = {
    Stage.ASKED.value: "Waiting",
    "changed": "Changed since",
    Stage.SENT_BACK.value: "Sent back",
    Stage.PREPARING.value: "Preparing",
    Stage.APPROVED.value: "Approved",
    "all": "All",
}
STAGES: dict[str, tuple[str, str]] = {
    Stage.ASKED: ("Waits for us", "warn"),
    Stage.SENT_BACK: ("Sent back", ""),
    Stage.PREPARING: ("Preparing", ""),
    Stage.APPROVED: ("Approved", "good"),
}
STEPS = 20


@staff_only(Right.APPROVE)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which = one_of(request.GET, "which", WHICH, Stage.ASKED.value)
    found, next_after = page_of(request, approvals(which))
    context = {
        "rows": [(row, STAGES[row.stage], changed_words(row.changed)) for row in found],
        "next_after": next_after,
        "which": which,
        "tabs": list(WHICH.items()),
    }
    return show(request, "moderation/approvals", context, here="approvals")


@staff_only(Right.APPROVE)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    row = get_object_or_404(approvals("all"), seller__public_id=public_id)
    words = request.POST.get("words", "")[:LONGEST]
    trouble = _done(request, staff, row, words) if request.method == "POST" else ""
    if trouble is None:
        return redirect("staff_approval", public_id)
    lines = lines_of(row)
    try:
        told, lost = particulars_of(seller=row.seller, actor=staff), ""
    except KeyLost as locked:
        told, lost = None, str(locked)
    context = {
        "approval": row,
        "seller": row.seller,
        "state": STAGES[row.stage],
        "lines": lines,
        "told": told,
        "lost": lost,
        "told_kind": KINDS[Kind(told.kind)] if told else "",
        "document": has_document(row.seller),
        "complete": not lost and not any(line.missing for line in lines),
        "changed": changed_words(row.changed),
        "seen": row.facts_at.isoformat(),
        "words": words,
        "trouble": trouble,
        "asks": row.stage == Stage.ASKED,
        "story": [(WORDS[Deed(step.deed)], step) for step in steps_of(row)[:STEPS]],
    }
    return show(request, "moderation/approval", context, here="approvals", status=422 if trouble else 200)


@staff_only(Right.APPROVE)
@fresh
@require_safe
def document(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    row = get_object_or_404(approvals("all"), seller__public_id=public_id)
    try:
        jpeg = document_of(seller=row.seller, actor=staff, now=timezone.now())
    except KeyLost as locked:
        messages.error(request, str(locked))
        return redirect("staff_approval", public_id)
    if jpeg is None:
        raise Http404
    return shown(jpeg)


def _done(request: HttpRequest, staff: User, row: SellerApproval, words: str) -> str | None:
    """None when that was it, or else what keeps it from being. The deed is what the button says, whatever the seller
    did in another tab.
    """
    now, seen = timezone.now(), typed(request.POST, "seen", longest=40)
    try:
        match typed(request.POST, "deed", longest=12):
            case "approve":
                approve(seller=row.seller, seen=seen, words=words, actor=staff, now=now)
                said = f"{row.seller.name} is approved, and is told."
            case "send_back":
                send_back(seller=row.seller, seen=seen, words=words, actor=staff, now=now)
                said = f"Sent back. {row.seller.name} is told why."
            case "looked":
                looked(seller=row.seller, seen=seen, actor=staff, now=now)
                said = "Noted: you looked at what changed."
            case _:
                raise Stale("Somebody decided it meanwhile. Look at it as it is now.")
    except Problem as problem:
        row.refresh_from_db()
        return str(problem)
    messages.success(request, said)
    return None
