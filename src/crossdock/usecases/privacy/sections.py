"""What a copy of a person's data holds: one section for each kind of row, with the columns that are theirs to read.

A section names its columns one by one, so that a new one gives nobody else's data away. Of a seller's sales it has no
buyer; of cases and the audit log, no colleague.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Q, QuerySet

from crossdock.store.models import (
    ApiToken,
    AuditEntry,
    CancelRequest,
    CaseMessage,
    Credit,
    DataRun,
    Invitation,
    ListingReport,
    LostDispute,
    Mail,
    Message,
    Offer,
    OfferMove,
    OrderLine,
    OrderView,
    PaymentIntent,
    Rating,
    Return,
    ReturnPicture,
    RiskTrace,
    SavedSearch,
    Shipment,
    TimelineEntry,
    User,
    Withdrawal,
)
from crossdock.usecases.privacy.whose import Whose

Row = dict[str, Any]
# Where the pictures of what somebody sent back lie in a copy.
RETURNED = "pictures/return-"


@dataclass(frozen=True, slots=True)
class Section:
    """`columns` maps a heading to the way to it; one that ends in `_minor` is written as an amount of the row's
    `currency`. `shape` has the last word on a row.
    """

    name: str
    title: str
    rows: Callable[[Whose], QuerySet[Any]]
    columns: Mapping[str, str]
    shape: Callable[[Row, Whose], Row] = field(default=lambda row, whose: row)


def plain(*names: str, **ways: str) -> dict[str, str]:
    return {**{name: name for name in names}, **ways}


def _roles(row: Row, whose: Whose) -> Row:
    return {**row, "roles": row["roles"].split()}


def _by(row: Row, whose: Whose) -> Row:
    """Colleagues are nobody's business; what staff did as staff names others."""
    by = {whose.person.pk: "you", None: "the marketplace or nobody known"}.get(row.pop("by"), "staff")
    own = row.pop("person") == whose.person.pk or row["topic"] != "staff"
    return {**row, "by": by, "subject": row["subject"] if own else "", "detail": row["detail"] if own else {}}


def _payment(row: Row, whose: Whose) -> Row:
    return {**row, "ship_to": row.pop("basket").get("ship_to", {})}


def _asked(row: Row, whose: Whose) -> Row:
    return {**row, "asked_by": "you" if row["asked_by"] == whose.person.pk else "staff"}


def tries_of(whose: Whose) -> QuerySet[Any]:
    return RiskTrace.objects.filter(
        Q(buyer=f"u{whose.person.pk}") | Q(intent__buyer=whose.person) | Q(order__buyer=whose.person)
    )


def invited(whose: Whose) -> QuerySet[Invitation]:
    """Into their team, and they into others'."""
    theirs = Q(*(("email__iexact", address) for address in whose.addresses), _connector=Q.OR)
    return Invitation.objects.filter(theirs | Q(seller__owner=whose.person))


ACCOUNT: tuple[Section, ...] = (
    Section(
        "account",
        "Your account",
        lambda whose: User.objects.filter(pk=whose.person.pk),
        plain(
            "email",
            "name",
            "roles",
            "date_joined",
            "last_login",
            "works_as",
            works_for="works_for__name",
            number="pk",
        ),
        _roles,
    ),
    Section(
        "addresses",
        "E-mail addresses",
        lambda whose: EmailAddress.objects.filter(user=whose.person),
        plain("email", "verified", "primary"),
    ),
    Section(
        "sessions",
        "Where you are signed in",
        lambda whose: UserSession.objects.filter(user=whose.person),
        plain("ip", "user_agent", "created_at", "last_seen_at"),
    ),
    Section(
        "second_factors",
        "Second factors and passkeys",
        lambda whose: Authenticator.objects.filter(user=whose.person),
        plain("type", "created_at", "last_used_at"),
    ),
    Section(
        "tokens",
        "API tokens that you made",
        lambda whose: ApiToken.objects.filter(made_by=whose.person),
        plain("name", "hint", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at"),
    ),
    Section(
        "mails",
        "Mails that were sent to you",
        lambda whose: Mail.objects.filter(whose.by_mail),
        plain("to", "subject", "body", "written_at", "sent_at"),
    ),
    Section(
        "audit",
        "The audit log: what you did, and what was done to your account",
        lambda whose: AuditEntry.objects.filter(Q(actor=whose.person) | Q(person=whose.person)),
        plain("at", "topic", "action", "subject", "detail", by="actor", person="person"),
        _by,
    ),
    Section(
        "requests",
        "Copies and deletions that were asked for",
        lambda whose: DataRun.objects.filter(person=whose.person),
        plain("kind", "state", "asked_at", "finished_at", "why", "sentence", asked_by="asked_by"),
        _asked,
    ),
)
BOUGHT: tuple[Section, ...] = (
    Section(
        "orders",
        "What you bought",
        lambda whose: whose.bought,
        plain(
            "number",
            "reference",
            "placed_at",
            "ship_by",
            "currency",
            "money",
            "parcels",
            "ship_to",
            "cancelled_at",
            "cancel_reason",
            seller="seller__name",
            items="items_minor",
            shipping="shipping_minor",
            total="total_minor",
            credited="credited_minor",
        ),
    ),
    Section(
        "order_lines",
        "The lines of what you bought",
        lambda whose: OrderLine.objects.filter(order__buyer=whose.person),
        plain(
            "sku",
            "title",
            "quantity",
            "shipped",
            "rejected",
            order="order__number",
            currency="order__currency",
            unit_price="unit_price_minor",
        ),
    ),
    Section(
        "order_stories",
        "What happened to it",
        lambda whose: TimelineEntry.objects.filter(order__buyer=whose.person, public=True),
        plain("at", "source", "sentence", order="order__number"),
    ),
    Section(
        "parcels",
        "Parcels to you",
        lambda whose: Shipment.objects.filter(order__buyer=whose.person),
        plain("tracking_number", "carrier", "tracking_url", "shipped_at", "undone_at", order="order__number"),
    ),
    Section(
        "cancel_requests",
        "What you asked to cancel",
        lambda whose: CancelRequest.objects.filter(order__buyer=whose.person),
        plain("state", "reason", "answer", "asked_at", "closed_at", order="order__number"),
    ),
    Section(
        "withdrawals",
        "Contracts that you withdrew from",
        lambda whose: Withdrawal.objects.filter(order__buyer=whose.person),
        plain("name", "statement", "confirmed_at", order="order__number"),
    ),
    Section(
        "returns",
        "What you sent back",
        lambda whose: Return.objects.filter(order__buyer=whose.person),
        plain(
            "state",
            "reason",
            "words",
            "answer",
            "send_to",
            "label",
            "carrier",
            "tracking_number",
            "kept_why",
            "asked_at",
            "sent_at",
            "closed_at",
            order="order__number",
            currency="order__currency",
            kept="kept_minor",
        ),
    ),
    Section(
        "return_pictures",
        "Pictures of what you sent back, which are files of this copy",
        lambda whose: ReturnPicture.objects.filter(row__order__buyer=whose.person),
        plain("name", "at", order="row__order__number"),
        lambda row, whose: {**row, "name": f"{RETURNED}{row['name']}.jpg"},
    ),
    Section(
        "messages",
        "What you and sellers wrote about your orders",
        lambda whose: Message.objects.filter(thread__order__buyer=whose.person),
        plain("at", "side", "body", order="thread__order__number"),
    ),
    Section(
        "ratings",
        "How you rated sellers",
        lambda whose: Rating.objects.filter(order__buyer=whose.person),
        plain(
            "stars", "words", "at", "changed_at", "answer", "answered_at", "decided", "down_at", order="order__number"
        ),
    ),
    Section(
        "refunds",
        "Money that went back to you",
        lambda whose: Credit.objects.filter(order__buyer=whose.person),
        plain(
            "state",
            "reason",
            "currency",
            "asked_at",
            "granted_at",
            "refunded_at",
            order="order__number",
            amount="amount_minor",
        ),
    ),
    Section(
        "disputes",
        "Disputes over your purchases that your bank won",
        lambda whose: LostDispute.objects.filter(order__buyer=whose.person),
        plain("state", "reason", "currency", "lost_at", order="order__number", amount="amount_minor"),
    ),
    Section(
        "payments",
        "Payments",
        lambda whose: PaymentIntent.objects.filter(buyer=whose.person),
        plain(
            "state",
            "currency",
            "gateway",
            "gateway_ref",
            "checks",
            "sentence",
            "basket",
            "created_at",
            "settled_at",
            amount="amount_minor",
        ),
        _payment,
    ),
    Section(
        "tries_to_pay",
        "What fraud is told by",
        tries_of,
        plain("at", "currency", "card", "device", "ip", "address", "email", "paid", amount="amount_minor"),
    ),
    Section(
        "order_tabs",
        "Your tabs on orders",
        lambda whose: OrderView.objects.filter(person=whose.person),
        plain("name", "address", "created_at"),
    ),
    Section(
        "team_invitations",
        "Invitations into teams: yours, and to you",
        invited,
        plain("email", "roles", "made_at", "accepted_at", "withdrawn_at", shop="seller__name"),
    ),
    Section(
        "saved_searches",
        "Your saved searches",
        lambda whose: SavedSearch.objects.filter(buyer=whose.person),
        plain("name", "address", "mail", "created_at"),
    ),
    Section(
        "offers",
        "Offers that you made",
        lambda whose: Offer.objects.filter(buyer=whose.person),
        plain(
            "quantity",
            "currency",
            "state",
            "made_at",
            "settled_at",
            number="public_id",
            listing="variant__listing__title",
            seller="seller__name",
            price="amount_minor",
        ),
    ),
    Section(
        "offer_moves",
        "What was said in them",
        lambda whose: OfferMove.objects.filter(offer__buyer=whose.person),
        plain("at", "who", "deed", "note", offer="offer__public_id", currency="offer__currency", price="amount_minor"),
    ),
    Section(
        "reported_listings",
        "Listings that you reported",
        lambda whose: ListingReport.objects.filter(reporter=whose.person),
        plain("at", "reason", "words", "name", "email", number="public_id", listing="review__listing__public_id"),
    ),
    Section(
        "reported_ratings",
        "Ratings that you reported, of sellers and of your shop",
        lambda whose: Rating.objects.filter(reported_by=whose.person),
        plain("report", seller="seller__name", number="public_id"),
    ),
    Section(
        "case_messages",
        "What you wrote in cases",
        lambda whose: CaseMessage.objects.filter(author=whose.person),
        plain("at", "body", case="case__public_id", about="case__subject"),
    ),
)
