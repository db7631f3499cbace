"""What becomes of each table's rows when their person leaves: a step for each entry of `domain/privacy/table.py` that
does not stay, in its order.

A step goes through its rows by their key, a batch in a transaction, and may be begun again anywhere: what was done once
is done. Words are looked through for a buyer's name and address, which is why these are cut last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet

from crossdock.domain.commands import CommandKind
from crossdock.domain.requests.messages import Side
from crossdock.store.models import (
    Alert,
    AlertMail,
    ApiToken,
    ApprovalStep,
    BulkRow,
    Call,
    CancelRequest,
    Case,
    CaseMessage,
    Command,
    ConnectAttempt,
    Connection,
    Credit,
    Cursor,
    DataPart,
    DataRun,
    Delivery,
    Endpoint,
    Exchange,
    FillRule,
    Label,
    LabelDocument,
    Listing,
    ListingReport,
    LostDispute,
    Mail,
    Message,
    OfferMove,
    Order,
    OrderNote,
    OrderTag,
    OrderView,
    PaymentIntent,
    Payout,
    PayoutAccount,
    PayoutHold,
    Quarantined,
    Rating,
    Return,
    ReturnPicture,
    ReviewStep,
    SavedSearch,
    Seller,
    SellerAddress,
    SellerApproval,
    SellerDetails,
    Selling,
    ShippingRate,
    ShopCopy,
    ShopRefund,
    Suspension,
    TimelineEntry,
    User,
    Withdrawal,
)
from crossdock.store.vault import seal
from crossdock.usecases.privacy import cutting
from crossdock.usecases.privacy.agents import agent_sessions, agents_replies, cut_parcels_email, others_sessions
from crossdock.usecases.privacy.beside import drop_tabs, drop_tags, runs_beside, tabs_beside, tags_beside
from crossdock.usecases.privacy.sections import invited, tries_of
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.shops.privacy import forget_replies

Rows = Callable[[Whose], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """`rows` are changed one by one (`change` gives the columns that it set), all alike (`blank`), handed on (`batch`),
    or deleted where nothing is said. `wait` is a reason to come back later; empty, it goes on.
    """

    table: str
    rows: Rows
    change: Callable[[Any, Whose], Sequence[str]] | None = None
    blank: Callable[[Whose], Mapping[str, Any]] | None = None
    batch: Callable[[list[Any], Whose], None] | None = None
    wait: Callable[[Whose], bool] = lambda whose: False

    @property
    def by_key(self) -> bool:
        """Whether `do` needs no more of its rows than their keys."""
        return self.change is None and self.batch is None

    def do(self, found: list[Any], whose: Whose) -> None:
        """A batch of its rows, in the caller's transaction."""
        model: type[Model] = type(found[0])
        same = model._default_manager.filter(pk__in=[row.pk for row in found])
        if self.change is not None:
            changed = {name for row in found for name in self.change(row, whose)}
            if changed:
                model._default_manager.bulk_update(found, sorted(changed))
        elif self.blank is not None:
            same.update(**self.blank(whose))
        elif self.batch is not None:
            self.batch(found, whose)
        else:
            same.delete()


def _replies(orders: list[Order], whose: Whose) -> None:
    forget_replies([order.reference for order in orders])


def _sessions(found: list[UserSession], whose: Whose) -> None:
    Session.objects.filter(session_key__in=[row.session_key for row in found]).delete()


def _by_their_shop(model: type[Model], way: str) -> Rows:
    return lambda whose: model._default_manager.filter(**{way: whose.person})


def _about(model: type[Model], way: str, *more: str) -> Rows:
    """Rows of what they bought, with their order."""
    return lambda whose: model._default_manager.filter(**{f"{way}__buyer": whose.person}).select_related(way, *more)


def _order(row: Any) -> Order:
    order: Order = row.order
    return order


_IN_SHOP = "party__connection__seller__owner"
STEPS: tuple[Step, ...] = (
    Step(
        "store.ConnectAttempt",
        lambda whose: ConnectAttempt.objects.filter(Q(user=whose.person) | Q(seller__owner=whose.person)),
    ),
    Step("store.Connection", _by_their_shop(Connection, "seller__owner"), cutting.cut_shop),
    Step("store.Delivery", _by_their_shop(Delivery, _IN_SHOP)),
    Step("store.Exchange", _by_their_shop(Exchange, _IN_SHOP)),
    Step("store.Exchange", lambda whose: Exchange.objects.filter(subject__in=whose.references)),
    Step("store.Call", _by_their_shop(Call, _IN_SHOP)),
    Step(
        "store.Call",
        lambda whose: Call.objects.filter(
            party__connection__in=whose.bought.values("connection"), subject__in=whose.references
        ),
    ),
    Step("store.Cursor", _by_their_shop(Cursor, "connection__seller__owner")),
    Step("store.Quarantined", _by_their_shop(Quarantined, _IN_SHOP)),
    Step("store.Quarantined", _about(Quarantined, "order"), cutting.cut_trace),
    Step(
        "store.Endpoint",
        _by_their_shop(Endpoint, "seller__owner"),
        blank=lambda whose: {"url": "", "name": "", "hint": "", "paused_why": "", "secrets": seal({})},
    ),
    Step("store.ShippingRate", _by_their_shop(ShippingRate, "seller__owner")),
    Step("store.Selling", _by_their_shop(Selling, "connection__seller__owner")),
    Step("store.FillRule", _by_their_shop(FillRule, "seller__owner")),
    Step("store.SavedSearch", lambda whose: SavedSearch.objects.filter(buyer=whose.person)),
    Step("store.OrderNote", _by_their_shop(OrderNote, "order__seller__owner")),
    Step("store.OrderNote", _about(OrderNote, "order"), cutting.words(_order, "body")),
    Step("store.OrderTag", _by_their_shop(OrderTag, "seller__owner")),
    Step("store.OrderTag", tags_beside, batch=drop_tags),
    Step(
        "store.OrderView",
        lambda whose: OrderView.objects.filter(Q(person=whose.person) | Q(seller__owner=whose.person)),
    ),
    Step("store.OrderView", tabs_beside, batch=drop_tabs),
    # Their rows go with them.
    Step("store.BulkRun", runs_beside),
    Step("store.BulkRow", lambda whose: BulkRow.objects.filter(run__in=runs_beside(whose))),
    Step("store.SellerAddress", _by_their_shop(SellerAddress, "seller__owner")),
    Step("store.Invitation", invited),
    Step("store.PayoutAccount", _by_their_shop(PayoutAccount, "seller__owner")),
    Step("store.PayoutHold", _by_their_shop(PayoutHold, "seller__owner")),
    Step("store.Suspension", _by_their_shop(Suspension, "seller__owner")),
    Step("store.SellerDetails", _by_their_shop(SellerDetails, "seller__owner")),
    Step("store.ApprovalStep", _by_their_shop(ApprovalStep, "approval__seller__owner")),
    Step("store.SellerApproval", _by_their_shop(SellerApproval, "seller__owner")),
    Step(
        "store.Payout",
        _by_their_shop(Payout, "seller__owner"),
        blank=lambda whose: {"words": "", "destination": "", "sentence": ""},
    ),
    Step("store.AlertMail", _by_their_shop(AlertMail, "seller__owner")),
    Step("store.Alert", _by_their_shop(Alert, "seller__owner")),
    Step("store.Alert", _about(Alert, "order"), cutting.words(_order, "sentence", "evidence", "settled_how")),
    Step("store.CaseMessage", _by_their_shop(CaseMessage, "case__seller__owner")),
    Step("store.CaseMessage", _about(CaseMessage, "case__order"), cutting.words(lambda row: _order(row.case), "body")),
    Step("store.Case", _by_their_shop(Case, "seller__owner")),
    Step("store.Case", _about(Case, "order"), cutting.words(_order, "subject", "evidence")),
    Step(
        "store.Listing",
        _by_their_shop(Listing, "seller__owner"),
        blank=lambda whose: {"description": "", "images": [], "shop_url": "", "shop_reasons": [], "not_chosen": ""},
    ),
    Step(
        "store.ListingReport",
        lambda whose: ListingReport.objects.filter(Q(reporter=whose.person) | Q(email__iexact=whose.person.email)),
        blank=lambda whose: {"words": "", "name": "", "email": ""},
    ),
    Step("store.ReviewStep", _by_their_shop(ReviewStep, "review__seller__owner"), blank=lambda whose: {"words": ""}),
    Step("store.TimelineEntry", _about(TimelineEntry, "order"), cutting.words(_order, "sentence", "evidence")),
    Step("store.ShopCopy", _about(ShopCopy, "order"), cutting.words(_order, "differences", "sentence")),
    Step("store.CancelRequest", _about(CancelRequest, "order"), cutting.words(_order, "reason", "answer")),
    Step("store.Withdrawal", _about(Withdrawal, "order"), cutting.cut_withdrawal),
    Step("store.Return", _about(Return, "order"), cutting.cut_return),
    # The seller's own address; their words to the buyer go with the buyer's.
    Step("store.Return", _by_their_shop(Return, "seller__owner"), blank=lambda whose: {"send_to": "", "label": ""}),
    Step("store.ReturnPicture", lambda whose: ReturnPicture.objects.filter(row__order__buyer=whose.person)),
    Step(
        "store.Rating",
        lambda whose: Rating.objects.filter(order__buyer=whose.person),
        blank=lambda whose: {"words": "", "report": "", "decided": ""},
    ),
    Step("store.Rating", _about(Rating, "order"), cutting.words(_order, "answer")),
    Step("store.Rating", _by_their_shop(Rating, "seller__owner"), blank=lambda whose: {"answer": ""}),
    Step(
        "store.Rating",
        lambda whose: Rating.objects.filter(reported_by=whose.person),
        blank=lambda whose: {"report": ""},
    ),
    Step(
        "store.Message",
        lambda whose: Message.objects.filter(
            Q(thread__order__buyer=whose.person, side=Side.BUYER)
            | Q(thread__order__seller__owner=whose.person, side=Side.SELLER)
        ).exclude(body=""),
        blank=lambda whose: {"body": ""},
    ),
    Step("store.Message", _about(Message, "thread__order"), cutting.words(lambda row: _order(row.thread), "body")),
    Step("store.ShopRefund", _about(ShopRefund, "order"), cutting.words(_order, "note")),
    Step("store.Credit", _about(Credit, "order"), cutting.words(_order, "reason", "note", "sentence")),
    Step("store.LostDispute", _about(LostDispute, "order"), cutting.words(_order, "why")),
    Step(
        "store.OfferMove",
        lambda whose: OfferMove.objects.filter(
            Q(offer__buyer=whose.person, who="buyer") | Q(offer__seller__owner=whose.person, who="seller")
        ).exclude(note=""),
        blank=lambda whose: {"note": ""},
    ),
    Step(
        "store.Command",
        lambda whose: Command.objects.filter(party__endpoint__seller__owner=whose.person, kind=CommandKind.SEND_EVENT),
    ),
    # A test order is sent to an address that its seller typed.
    Step(
        "store.Command",
        lambda whose: Command.objects.filter(party__connection__seller__owner=whose.person, kind=CommandKind.TRY_ORDER),
    ),
    Step("store.Command", lambda whose: Command.objects.filter(subject__in=whose.references), cutting.cut_command),
    Step("store.IdempotentReply", lambda whose: whose.bought, batch=_replies),
    Step("store.IdempotentReply", agents_replies),
    Step(
        "store.AgentSession",
        lambda whose: agent_sessions(whose).exclude(details={}),
        blank=lambda whose: {"details": {}},
    ),
    # What is left of their address is in other people's: their own are empty by now.
    Step("store.AgentSession", others_sessions, cut_parcels_email),
    Step(
        "store.LabelDocument",
        lambda whose: LabelDocument.objects.filter(
            Q(label__order__buyer=whose.person) | Q(label__seller__owner=whose.person)
        ),
    ),
    Step("store.Label", lambda whose: Label.objects.filter(order__buyer=whose.person), cutting.cut_buyers_end),
    Step("store.Label", lambda whose: Label.objects.filter(seller__owner=whose.person), cutting.cut_sellers_end),
    Step(
        "store.RiskTrace",
        tries_of,
        blank=lambda whose: {"buyer": "", "card": "", "device": "", "ip": "", "address": "", "email": ""},
    ),
    Step(
        "store.Mail",
        lambda whose: Mail.objects.filter(order__buyer=whose.person).exclude(whose.by_mail).select_related("order"),
        cutting.words(_order, "subject", "body"),
    ),
    Step(
        "store.Mail",
        lambda whose: Mail.objects.filter(whose.by_mail),
        blank=lambda whose: {"to": "", "subject": "", "body": ""},
        wait=lambda whose: Mail.objects.filter(whose.by_mail, sent_at=None, body__gt="").exists(),
    ),
    Step("store.PaymentIntent", lambda whose: PaymentIntent.objects.filter(buyer=whose.person), cutting.cut_intent),
    Step("store.Order", lambda whose: whose.bought, cutting.cut_order),
    Step("store.Seller", lambda whose: Seller.objects.filter(owner=whose.person), cutting.cut_seller),
    Step(
        "store.ApiToken",
        lambda whose: ApiToken.objects.filter(Q(made_by=whose.person) | Q(seller__owner=whose.person)),
    ),
    Step("mfa.Authenticator", lambda whose: Authenticator.objects.filter(user=whose.person)),
    Step("account.EmailConfirmation", lambda whose: EmailConfirmation.objects.filter(email_address__user=whose.person)),
    Step("sessions.Session", lambda whose: UserSession.objects.filter(user=whose.person), batch=_sessions),
    Step("usersessions.UserSession", lambda whose: UserSession.objects.filter(user=whose.person)),
    Step("store.DataPart", lambda whose: DataPart.objects.filter(run__person=whose.person)),
    # Why it was asked for may be in words about the person.
    Step(
        "store.DataRun",
        lambda whose: DataRun.objects.filter(person=whose.person),
        blank=lambda whose: {"why": "", "sentence": ""},
    ),
    Step("account.EmailAddress", lambda whose: EmailAddress.objects.filter(user=whose.person)),
    Step("store.User", lambda whose: User.objects.filter(pk=whose.person.pk), cutting.cut_user),
)
