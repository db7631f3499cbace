"""What a seller's copy holds of their shop. Nothing in it names a buyer: of sales it has goods, prices and dates."""

from typing import Any

from django.db.models import Q, QuerySet

from crossdock.domain.moderation.takedowns import SELLERS
from crossdock.domain.redact import redact_text
from crossdock.store.models import (
    Alert,
    AlertMail,
    ApiToken,
    ApprovalStep,
    BulkRow,
    BulkRun,
    Case,
    CaseMessage,
    Connection,
    Endpoint,
    Entry,
    Exchange,
    FillRule,
    Label,
    Listing,
    Offer,
    OfferMove,
    Order,
    OrderLine,
    OrderNote,
    OrderTag,
    Payout,
    PayoutAccount,
    Rating,
    ReviewStep,
    Seller,
    SellerAddress,
    SellerApproval,
    SellerDetails,
    Selling,
    ShippingRate,
    Variant,
)
from crossdock.store.vault import VaultLocked, unseal
from crossdock.usecases.privacy.sections import Row, Section, plain
from crossdock.usecases.privacy.whose import Whose


def _said(row: Row, whose: Whose) -> Row:
    return {**row, "sentence": redact_text(row["sentence"])}


def _noted(row: Row, whose: Whose) -> Row:
    return {**row, "body": redact_text(row["body"])}


def _author(row: Row, whose: Whose) -> Row:
    return {**row, "by": "staff" if row.pop("is_staff") else "your shop"}


def _label(row: Row, whose: Whose) -> Row:
    wanted = row.pop("wanted")
    return {**row, "ship_from": wanted.get("ship_from", {}), "parcel": wanted.get("parcel", {})}


def _own_note(row: Row, whose: Whose) -> Row:
    return {**row, "note": row["note"] if row["who"] == "seller" else ""}


def _entries(whose: Whose) -> QuerySet[Any]:
    return Entry.objects.filter(account=f"seller:{whose.seller.pk if whose.seller else 0}")


def _told(row: Row, whose: Whose) -> Row:
    """A lost key costs what it closed, and nothing else of a copy."""
    try:
        return {**row, "details": unseal(row["details"]) if row["details"] else {}}
    except VaultLocked:
        return {**row, "details": {"lost": "The key that opens them is lost; type them again."}}


SOLD: tuple[Section, ...] = (
    Section(
        "shop",
        "Your shop",
        lambda whose: Seller.objects.filter(owner=whose.person),
        plain(
            "name",
            "slug",
            "country",
            "currency",
            "handling_days",
            "time_zone",
            "working_days",
            "holidays",
            "closed_days",
            "away_from",
            "away_until",
            "eu_contact",
            "fee_basis_points",
            "quotas",
            "created_at",
        ),
    ),
    Section(
        "shipping_prices",
        "Shipping prices",
        lambda whose: ShippingRate.objects.filter(seller=whose.seller),
        plain("country", "currency", price="price_minor"),
    ),
    Section(
        "what_is_sold",
        "Your rules for what is sold of a shop",
        lambda whose: Selling.objects.filter(connection__seller=whose.seller),
        plain("choice", "draft", "pricing", "pricing_draft", "changed_at", shop="connection__name"),
    ),
    Section(
        "attribute_rules",
        "Your rules for attributes",
        lambda whose: FillRule.objects.filter(seller=whose.seller),
        plain("source", "name", "word", "attribute", "value"),
    ),
    Section(
        "ships_from",
        "Where you ship from",
        lambda whose: SellerAddress.objects.filter(seller=whose.seller),
        plain("address", "changed_at"),
    ),
    Section(
        "tax_details",
        "Your tax details; the picture of your document is not in it, and is deleted 30 days after your approval",
        lambda whose: SellerDetails.objects.filter(seller=whose.seller),
        plain("changed_at", "document_at", details="sealed"),
        _told,
    ),
    Section(
        "approval",
        "Your approval as a seller",
        lambda whose: SellerApproval.objects.filter(seller=whose.seller),
        plain("stage", "began_at", "asked_at", "decided_at", "why", "terms_at", terms_version="terms"),
    ),
    Section(
        "approval_story",
        "What happened with it",
        lambda whose: ApprovalStep.objects.filter(approval__seller=whose.seller),
        plain("at", "deed", "words"),
    ),
    Section(
        "bank_accounts",
        "Bank accounts that your payouts go to",
        lambda whose: PayoutAccount.objects.filter(seller=whose.seller),
        plain("currency", "words", "schedule", "changed_at", minimum="minimum_minor"),
    ),
    Section(
        "payouts",
        "Payouts",
        lambda whose: Payout.objects.filter(seller=whose.seller),
        plain("words", "currency", "state", "intended_at", "paid_at", number="public_id", amount="amount_minor"),
    ),
    Section(
        "connected_shops",
        "Connected shops (their keys are not handed out)",
        lambda whose: Connection.objects.filter(seller=whose.seller),
        plain("platform", "way", "address", "name", "currency", "state", "created_at", "last_read_at"),
    ),
    Section(
        "recorded_calls",
        "Calls to your shops, kept for thirty days; their bodies are blacked out and stand on the orders' pages",
        lambda whose: Exchange.objects.filter(party__connection__seller=whose.seller),
        plain("at", "method", "url", "status", "milliseconds", shop="party__connection__name"),
    ),
    Section(
        "taken_down",
        "Why listings of yours were taken down, and what you wrote against it",
        lambda whose: ReviewStep.objects.filter(review__seller=whose.seller, deed__in=SELLERS),
        plain("at", "deed", "words", listing="review__listing__title", number="review__listing__public_id"),
    ),
    Section(
        "listings",
        "Listings",
        lambda whose: Listing.objects.filter(seller=whose.seller),
        plain(
            "title",
            "description",
            "images",
            "currency",
            "state",
            "shop_url",
            "created_at",
            "updated_at",
            number="public_id",
        ),
    ),
    Section(
        "variants",
        "Their variants",
        lambda whose: Variant.objects.filter(listing__seller=whose.seller),
        plain(
            "sku",
            "title",
            "barcode",
            listing="listing__public_id",
            currency="listing__currency",
            price="price_minor",
            shop_price="shop_price_minor",
            count="stock__count",
        ),
    ),
    Section(
        "sales",
        "What you sold (buyers are left out: their data is theirs)",
        lambda whose: Order.objects.filter(seller=whose.seller),
        plain(
            "number",
            "reference",
            "placed_at",
            "ship_by",
            "currency",
            "money",
            "parcels",
            "cancelled_at",
            "cancel_reason",
            items="items_minor",
            shipping="shipping_minor",
            total="total_minor",
            credited="credited_minor",
            shop_number="copy__shop_number",
        ),
    ),
    Section(
        "sale_lines",
        "The lines of what you sold",
        lambda whose: OrderLine.objects.filter(order__seller=whose.seller),
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
        "books",
        "Your account in the books",
        _entries,
        plain("currency", at="transfer__at", sentence="transfer__sentence", amount="amount_minor"),
    ),
    Section(
        "labels",
        "Labels that you bought",
        lambda whose: Label.objects.filter(seller=whose.seller),
        plain(
            "state",
            "carrier",
            "service",
            "tracking_number",
            "currency",
            "wanted",
            "quoted_at",
            "bought_at",
            "voided_at",
            order="order__number",
            price="price_minor",
        ),
        _label,
    ),
    Section(
        "alerts",
        "Alerts",
        lambda whose: Alert.objects.filter(seller=whose.seller, for_staff=False),
        plain("code", "sentence", "raised_at", "settled_at"),
        _said,
    ),
    Section(
        "alert_mails",
        "Which alerts you want by mail",
        lambda whose: AlertMail.objects.filter(seller=whose.seller),
        plain("group", "choice"),
    ),
    Section(
        "cases",
        "Cases, with the evidence that you sent",
        lambda whose: Case.objects.filter(seller=whose.seller),
        plain("kind", "state", "subject", "opened_at", "closed_at", "evidence", number="public_id"),
    ),
    Section(
        "case_letters",
        "What was written in them",
        lambda whose: CaseMessage.objects.filter(case__seller=whose.seller),
        plain("at", "body", "is_staff", case="case__public_id"),
        _author,
    ),
    Section(
        "order_notes",
        "Your notes on orders",
        lambda whose: OrderNote.objects.filter(order__seller=whose.seller),
        plain("at", "body", order="order__reference"),
        _noted,
    ),
    Section(
        "order_tags",
        "Your tags",
        lambda whose: OrderTag.objects.filter(seller=whose.seller),
        plain("name"),
    ),
    Section(
        "bulk_runs",
        "What you did to many orders in one go",
        lambda whose: BulkRun.objects.filter(seller=whose.seller),
        plain("kind", "state", "given", "asked_at", "finished_at"),
    ),
    Section(
        "bulk_rows",
        "What became of each of these orders",
        lambda whose: BulkRow.objects.filter(run__seller=whose.seller),
        plain("state", "sentence", "given", "at", run="run__public_id", order="order__reference"),
    ),
    Section(
        "rating_answers",
        "How your shop was rated, and what you answered",
        lambda whose: Rating.objects.filter(seller=whose.seller),
        plain("stars", "at", "answer", "answered_at", "down_at", order="order__number"),
    ),
    Section(
        "webhook_receivers",
        "Webhook receivers (their secrets are not handed out)",
        lambda whose: Endpoint.objects.filter(seller=whose.seller),
        plain("url", "name", "events", "hint", "created_at", "paused_at", "paused_why", "deleted_at"),
    ),
    Section(
        "shop_tokens",
        "API tokens of your shop",
        lambda whose: ApiToken.objects.filter(Q(seller=whose.seller) & ~Q(made_by=whose.person)),
        plain("name", "hint", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at"),
    ),
    Section(
        "offers_received",
        "Offers that you got",
        lambda whose: Offer.objects.filter(seller=whose.seller),
        plain(
            "quantity",
            "currency",
            "state",
            "made_at",
            "settled_at",
            number="public_id",
            listing="variant__listing__title",
            price="amount_minor",
        ),
    ),
    Section(
        "offer_answers",
        "What was said in them (buyers' notes are theirs)",
        lambda whose: OfferMove.objects.filter(offer__seller=whose.seller),
        plain("at", "who", "deed", "note", offer="offer__public_id", currency="offer__currency", price="amount_minor"),
        _own_note,
    ),
)
