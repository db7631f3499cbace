"""Staff's admin: raw rows for those who may read them, and nothing to press: what staff do is on their own pages."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

from crossdock.store import models
from crossdock.web.signin.again import fresh
from crossdock.web.signin.factor import with_second_factor
from crossdock.web.staff.raw import ReadOnly, may_read

site = admin.site
site.site_header = site.site_title = "Crossdock staff"
site.index_title = "Rows as they are"
site.enable_nav_sidebar = False
# The admin's own sign-in has no rate limit; people go through the site's.
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]
_admin_view = site.admin_view


def _guarded(view: Any, cacheable: bool = False) -> Any:
    """Staff's guards hold here too. Nothing can be sent in the admin; whoever tries is asked who they are first."""
    return _admin_view(with_second_factor(fresh(view)), cacheable)


site.admin_view = _guarded  # type: ignore[method-assign]
site.has_permission = may_read  # type: ignore[method-assign]
# What libraries bring is not looked for (settings): secrets and sessions are nobody's rows to look at, an address
# changes by its owner's own letter, and groups give rights that nothing here asks for.


@admin.register(models.Command)
class CommandAdmin(ReadOnly):
    list_display = ("id", "party", "kind", "subject", "state", "result", "attempts", "due_at", "sentence")
    list_filter = ("state", "result", "kind", "party__kind")
    search_fields = ("subject", "cause")
    by_index = True
    list_select_related = ("party",)


@admin.register(models.Alert)
class AlertAdmin(ReadOnly):
    list_display = ("code", "seller", "order", "connection", "times", "raised_at", "settled_at")
    list_filter = ("code", ("settled_at", admin.EmptyFieldListFilter))
    search_fields = ("sentence", "order__reference", "seller__name")
    list_select_related = ("seller", "order", "connection")


@admin.register(models.Offer)
class OfferAdmin(ReadOnly):
    list_display = (
        "public_id",
        "variant",
        "seller",
        "buyer",
        "quantity",
        "amount_minor",
        "asking_minor",
        "state",
        "ends_at",
    )
    list_filter = ("state",)
    search_fields = ("public_id", "buyer__email", "seller__name")
    list_select_related = ("variant__listing", "seller", "buyer")


@admin.register(models.OfferMove)
class OfferMoveAdmin(ReadOnly):
    list_display = ("offer", "at", "who", "deed", "amount_minor")
    list_filter = ("deed", "who")
    list_select_related = ("offer__variant__listing",)


@admin.register(models.RiskTrace)
class RiskTraceAdmin(ReadOnly):
    list_display = ("id", "order", "at", "buyer", "amount_minor", "paid", "fraud", "known_at")
    list_filter = ("paid", "fraud")
    search_fields = ("order__reference", "device", "card", "ip")
    by_index = True
    list_select_related = ("order",)


@admin.register(models.RiskAssessment)
class RiskAssessmentAdmin(ReadOnly):
    list_display = ("order", "at", "why", "level", "score", "available", "asked", "rules")
    list_filter = ("level", "why")
    search_fields = ("order__reference",)
    by_index = True
    list_select_related = ("order", "rules")


@admin.register(models.RiskRuleSet)
class RiskRuleSetAdmin(ReadOnly):
    list_display = ("id", "made_at", "made_by", "note", "medium_from", "high_from", "live_at", "shadow_at")
    list_select_related = ("made_by",)


@admin.register(models.RiskListEntry)
class RiskListAdmin(ReadOnly):
    list_display = ("kind", "what", "shown", "note", "added_by", "added_at")
    list_filter = ("kind", "what")
    search_fields = ("shown", "value")
    list_select_related = ("added_by",)


@admin.register(models.RiskPolicy)
class RiskPolicyAdmin(ReadOnly):
    list_display = ("choice", "changed_by", "changed_at")
    list_select_related = ("changed_by",)


@admin.register(models.RiskHold)
class RiskHoldAdmin(ReadOnly):
    list_display = ("order", "held_at", "cleared_at", "cleared_by", "note")
    list_filter = (("cleared_at", admin.EmptyFieldListFilter),)
    list_select_related = ("order", "cleared_by")


@admin.register(models.CancelRequest)
class CancelRequestAdmin(ReadOnly):
    list_display = ("order", "state", "binding", "asked_at", "answer_by", "closed_at", "closed_by")
    list_filter = ("state", "binding")
    list_select_related = ("order", "closed_by")


@admin.register(models.Withdrawal)
class WithdrawalAdmin(ReadOnly):
    list_display = ("order", "name", "shipped", "confirmed_at")
    list_filter = ("shipped",)
    list_select_related = ("order",)


@admin.register(models.Return)
class ReturnAdmin(ReadOnly):
    list_display = ("order", "seller", "state", "reason", "binding", "asked_at", "due_at", "closed_at")
    list_filter = ("state", "reason", "binding")
    list_select_related = ("order", "seller")


@admin.register(models.ReturnLine)
class ReturnLineAdmin(ReadOnly):
    list_display = ("row", "line", "units", "received", "condition", "fate")
    list_select_related = ("row__order", "line")


@admin.register(models.Thread)
class ThreadAdmin(ReadOnly):
    """What was written is read on the order's page alone, once it was reported."""

    list_display = ("order", "last_at", "unread_buyer", "unread_seller", "reported_at", "reported_by")
    list_filter = (("reported_at", admin.EmptyFieldListFilter),)
    list_select_related = ("order",)


@admin.register(models.PolicySwitch)
class PolicyAdmin(ReadOnly):
    """The newest row of a rule is in force."""

    list_display = ("rule", "lifted", "changed_by", "changed_at")
    list_filter = ("rule",)


@admin.register(models.ApiToken)
class TokenAdmin(ReadOnly):
    list_display = (
        *("name", "hint", "seller", "scopes", "made_by"),
        *("created_at", "expires_at", "last_used_at", "revoked_at"),
    )
    list_filter = (("seller", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))


@admin.register(models.Order)
class OrderAdmin(ReadOnly):
    list_display = (
        "number",
        "reference",
        "seller",
        "buyer",
        "total_minor",
        "currency",
        "money",
        "parcels",
        "risk",
        "placed_at",
    )
    list_filter = ("money", "parcels", "risk")
    search_fields = ("number", "reference", "public_id", "buyer__email")
    by_index = True
    list_select_related = ("seller", "buyer")


@admin.register(models.Connection)
class ConnectionAdmin(ReadOnly):
    list_display = ("name", "platform", "seller", "state", "last_read_at", "last_delivery_at", "forged")
    list_filter = ("platform", "state")
    search_fields = ("name", "address", "seller__name")
    list_select_related = ("seller",)


@admin.register(models.User)
class UserAdmin(ReadOnly):
    list_display = ("email", "name", "is_staff", "roles", "is_active", "date_joined", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")


@admin.register(models.AuditEntry)
class AuditAdmin(ReadOnly):
    list_display = ("at", "actor", "action", "subject")
    list_filter = ("action",)
    search_fields = ("subject",)
    list_select_related = ("actor",)


# Model -> (columns, filters, what is searched). Everything else about them is the same.
_PLAIN: dict[Any, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    models.Seller: (("name", "slug", "owner", "currency", "fee_basis_points"), (), ("name", "owner__email")),
    models.Listing: (("title", "seller", "connection", "state", "updated_at"), ("state",), ("title", "public_id")),
    models.Variant: (("listing", "sku", "title", "price_minor", "gone"), ("gone",), ("sku", "public_id")),
    models.VariantStock: (
        ("variant", "count", "count_at", "ceiling", "want_no", "set_aside_by"),
        (),
        ("variant__sku",),
    ),
    models.Reservation: (("cause", "variant", "quantity", "state", "ended_why"), ("state", "ended_why"), ("cause",)),
    models.Movement: (
        ("at", "variant", "kind", "quantity", "count_before", "count_after", "cause"),
        ("kind",),
        ("order__reference", "variant__public_id", "variant__sku"),
    ),
    models.ShopCopy: (
        ("order", "connection", "state", "shop_number", "equal_at", "sentence"),
        ("state",),
        ("order__reference", "shop_order_id"),
    ),
    models.Shipment: (
        ("order", "carrier", "tracking_number", "source", "shipped_at", "undone_at"),
        ("source",),
        ("tracking_number",),
    ),
    models.ShopRefund: (("order", "refund_id", "amount_minor", "currency", "seen_at"), (), ("order__reference",)),
    models.PaymentIntent: (
        ("public_id", "buyer", "state", "amount_minor", "currency"),
        ("state", "gateway"),
        ("public_id",),
    ),
    models.Label: (
        ("reference", "order", "provider", "state", "carrier", "tracking_number", "price_minor", "currency"),
        ("state", "provider"),
        ("reference", "tracking_number", "carrier_ref"),
    ),
    models.Transfer: (("at", "cause", "order", "sentence"), (), ("cause", "order__reference")),
    models.Entry: (("transfer", "account", "amount_minor", "currency"), (), ("account",)),
    models.TimelineEntry: (("at", "order", "source", "kind", "sentence"), ("source", "kind"), ("order__reference",)),
    models.Party: (
        ("kind", "name", "failures", "resting_until", "stopped", "last_error"),
        ("kind", "stopped"),
        ("name",),
    ),
    models.Delivery: (("received_at", "party", "topic", "doubles", "handled_at", "note"), ("topic",), ("dedupe",)),
    models.Exchange: (("at", "party", "subject", "method", "url", "status", "milliseconds"), ("status",), ("subject",)),
    models.Mail: (("written_at", "to", "subject", "sent_at"), (), ("to", "subject")),
    models.Credit: (
        ("order", "kind", "state", "amount_minor", "currency", "asked_at"),
        ("kind", "state"),
        ("order__reference", "cause"),
    ),
    models.CommissionRule: (
        ("category", "seller", "basis_points", "since", "until", "made_by"),
        ("category",),
        ("category", "seller__name"),
    ),
    models.LostDispute: (
        ("order", "state", "bearer", "amount_minor", "currency", "lost_at"),
        ("state", "bearer"),
        ("order__reference", "cause"),
    ),
    models.Duplicate: (
        ("found_at", "seller", "kind", "key", "verdict", "decided_at"),
        ("kind", "verdict"),
        ("key", "seller__name"),
    ),
    models.ListingReview: (
        ("opened_at", "listing", "seller", "state", "ground", "reports", "decided_by"),
        ("state", "ground"),
        ("public_id", "listing__public_id", "seller__name"),
    ),
    models.ReviewStep: (("at", "review", "deed", "actor"), ("deed",), ("review__public_id",)),
    models.Case: (
        ("subject", "seller", "kind", "state", "opened_at", "last_at"),
        ("kind", "state"),
        ("subject", "public_id"),
    ),
    models.CaseMessage: (("at", "case", "author", "is_staff"), ("is_staff",), ("case__public_id",)),
    models.Call: (("at", "party", "operation", "subject"), ("operation",), ("subject",)),
    models.Endpoint: (
        ("name", "seller", "protocol", "url", "paused_at", "deleted_at"),
        ("protocol",),
        ("name", "seller__name"),
    ),
    models.SigningKey: (("kid", "created_at", "signs_from", "ends_at"), (), ("kid",)),
    models.AlertMail: (("seller", "group", "choice"), ("group", "choice"), ("seller__name",)),
    models.HeldPrice: (("at", "variant", "told_minor", "kept"), ("kept",), ("variant__sku",)),
    models.Selling: (("connection", "revision", "after", "changed_at"), (), ("connection__name",)),
    models.ShadowRun: (("began_at", "connection", "ended_at", "calls"), (), ("connection__name",)),
    models.Recount: (("started_at", "connection", "occasion", "finished_at"), ("occasion",), ("connection__name",)),
    models.Difference: (
        ("found_at", "recount", "variant", "expected", "shop", "decision"),
        ("decision",),
        ("variant__sku",),
    ),
}

# The largest ones.
_BY_INDEX = {
    *(models.Variant, models.VariantStock, models.Reservation, models.Movement, models.ShopCopy, models.Shipment),
    *(models.ShopRefund, models.PaymentIntent, models.Label, models.Transfer, models.Entry, models.TimelineEntry),
    *(models.Exchange, models.Call, models.Credit),
}

for _model, (_columns, _filters, _searched) in _PLAIN.items():
    site.register(
        _model,
        type(
            f"{_model.__name__}Admin",
            (ReadOnly,),
            {
                "list_display": _columns,
                "list_filter": _filters,
                "search_fields": _searched,
                "by_index": _model in _BY_INDEX,
            },
        ),
    )
