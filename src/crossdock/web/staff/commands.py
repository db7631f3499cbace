"""What was asked of parties outside and how it ended, over all sellers; what gave up can be sent again, one by one or
many after a look at them.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.commands import CommandKind
from crossdock.domain.roles import Right
from crossdock.store.models import Command, Order, User
from crossdock.store.models.work import CommandState, PartyKind
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.actions import resend_command
from crossdock.usecases.outbox.queries import commands_with, orders_named, picked
from crossdock.usecases.record.rights import holds
from crossdock.web.forms import typed
from crossdock.web.staff.panel import page_of, show, staff_only

MOST_AT_ONCE = 200
STATE_WORDS = {
    CommandState.DEAD: ("Gave up", "bad"),
    CommandState.WAITING: ("Waiting", "warn"),
    CommandState.IN_FLIGHT: ("Being sent", "info"),
    CommandState.DONE: ("Done", "good"),
    CommandState.WITHDRAWN: ("Withdrawn", ""),
}
PARTY_WORDS = {
    PartyKind.SHOP: "Shops",
    PartyKind.PAYMENT: "Payments",
    PartyKind.CARRIER: "Carriers",
    PartyKind.PAYOUT: "Payouts",
    PartyKind.NOTIFY: "Mails and hooks",
}
KIND_WORDS: dict[str, str] = {
    CommandKind.CREATE_ORDER: "Create the order",
    CommandKind.CANCEL_ORDER: "Cancel the order",
    CommandKind.CANCEL_LINES: "Take units out of the order",
    CommandKind.ADJUST_STOCK: "Correct the stock",
    CommandKind.WRITE_RISK: "Write the risk level",
    CommandKind.WRITE_FULFILMENT: "Write the fulfilment",
    CommandKind.REFUND_PAYMENT: "Refund the buyer",
    CommandKind.SEND_PAYOUT: "Pay a seller",
    CommandKind.SEND_MAIL: "Send a mail",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A command as it stands in the table. `order` is what it is about, when it is about one."""

    command: Command
    order: Order | None

    @property
    def words(self) -> str:
        return KIND_WORDS.get(self.command.kind, self.command.kind.replace("_", " ").capitalize())

    @property
    def state(self) -> tuple[str, str]:
        """A refusal is an end too, but not a good one."""
        if self.command.state == CommandState.DONE and self.command.result == "refused":
            return "Refused", "bad"
        return STATE_WORDS[CommandState(self.command.state)]


def rows_of(commands: list[Command]) -> list[Row]:
    """With their orders, in one more query."""
    references = {command: command.subject.removeprefix("money:").removeprefix("risk:") for command in commands}
    orders = orders_named(references.values())
    return [Row(command, orders.get(references[command])) for command in commands]


def chosen(request: HttpRequest) -> tuple[dict[str, str], QuerySet[Command]]:
    """The filters in the address, and the commands that they leave. Nonsense filters nothing."""
    state = typed(request.GET, "state", longest=12) or CommandState.DEAD
    party, kind, query = (
        typed(request.GET, "party", longest=10),
        typed(request.GET, "kind", longest=30),
        typed(request.GET, "q"),
    )
    shop = typed(request.GET, "shop", longest=14)
    known = party if party in PartyKind.values else ""
    found = commands_with(state=state, party=known, kind=kind, query=query, shop=shop)
    return {"state": state, "party": party, "kind": kind, "q": query, "shop": shop}, found


@staff_only(Right.SHOPS)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    filters, found = chosen(request)
    commands, next_after = page_of(request, found)
    context = {
        "rows": rows_of(commands),
        "next_after": next_after,
        "filters": filters,
        "states": [("all", "All"), *((state.value, words) for state, (words, _) in STATE_WORDS.items())],
        "parties": [(kind.value, words) for kind, words in PARTY_WORDS.items()],
        "kinds": list(KIND_WORDS.items()),
        "can_resend": holds(staff, Right.WORK) and any(command.state == CommandState.DEAD for command in commands),
        "most": MOST_AT_ONCE,
    }
    return show(request, "commands", context, here="commands")


def _picked(request: HttpRequest) -> list[int]:
    values = request.POST if request.method == "POST" else request.GET
    picked = (int(text) for text in values.getlist("pick") if text.isdecimal() and len(text) < 19)
    return list(dict.fromkeys(picked))[:MOST_AT_ONCE]


@staff_only(Right.WORK)
@require_http_methods(["GET", "HEAD", "POST"])
def resend_many(request: HttpRequest, staff: User) -> HttpResponse:
    """First a look at what would be sent again: what was ticked, or all that the filters leave.

    Then the deed, each in its own transaction.
    """
    if request.method == "POST":
        _say(request, *_resend(_picked(request), staff, timezone.now()))
        return redirect("staff_commands")
    if "every" in request.GET:
        _, found = chosen(request)
        found = found.filter(state=CommandState.DEAD).order_by("pk")
    else:
        found = picked(_picked(request))
    commands = list(found[: MOST_AT_ONCE + 1])
    rows = rows_of(commands[:MOST_AT_ONCE])
    context = {
        "rows": [row for row in rows if row.command.state == CommandState.DEAD],
        "others": [row for row in rows if row.command.state != CommandState.DEAD],
        "more": len(commands) > MOST_AT_ONCE,
        "most": MOST_AT_ONCE,
    }
    return show(request, "resend", context, here="commands")


def _resend(ids: list[int], staff: User, now: datetime) -> tuple[int, list[str]]:
    """How many are sent again, and why others are not."""
    done, wrong = 0, []
    for command in picked(ids):
        try:
            resend_command(command=command, actor=staff, now=now)
            done += 1
        except Problem as problem:
            wrong.append(f"{command}: {problem}")
    return done, wrong


def _say(request: HttpRequest, done: int, wrong: list[str]) -> None:
    if done:
        messages.success(request, f"{done} {'is' if done == 1 else 'are'} tried again now.")
    for sentence in wrong[:10]:
        messages.error(request, sentence)
    if not done and not wrong:
        messages.info(request, "Nothing was chosen.")


@staff_only(Right.WORK)
@require_POST
def resend(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    _say(request, *_resend([pk], staff, timezone.now()))
    return redirect(back_to(request, "staff_commands"))


def back_to(request: HttpRequest, otherwise: str) -> str:
    """The page that the form stood on, when it is one of ours."""
    back = typed(request.POST, "back", longest=500)
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/staff/")
    return back if ours else otherwise
