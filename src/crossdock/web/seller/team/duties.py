"""Which duty each page of the panel is: the one table, by the address's name. One that is not here is the owner's, and
tests/web/seller/test_team_rights.py fails.
"""

from crossdock.domain.team.roles import Duty

_READS = ("GET", "HEAD", "OPTIONS", "TRACE")

# What the whole page is: to open it, and to press what is on it.
PAGES: dict[Duty, frozenset[str]] = {
    Duty.LOOK: frozenset(
        {
            *("seller_home", "seller_alerts", "seller_alert", "seller_cases", "seller_case", "seller_quality"),
            *("seller_shops", "seller_shop", "seller_prices", "seller_recounts", "seller_listings", "seller_listing"),
            *("seller_recorder", "seller_recorder_csv", "seller_duplicates", "seller_offers", "seller_offer"),
            *("seller_orders", "seller_order", "seller_order_messages", "seller_returns", "seller_return"),
            *("seller_runs", "seller_run"),
            *("seller_return_picture", "seller_labels", "seller_label", "seller_team_leave"),
            *("seller_ratings", "seller_quotas"),
        }
    ),
    Duty.ORDERS: frozenset(
        {
            *("seller_resend", "seller_offer_answer", "seller_view_keep", "seller_view_forget", "seller_paste"),
            *("seller_note_write", "seller_note_remove", "seller_order_tag", "seller_order_untag"),
            *("seller_bulk", "seller_run_stop", "seller_run_buy", "seller_run_again"),
            *("seller_order_ship", "seller_parcel", "seller_parcel_undo", "seller_parcel_send", "seller_order_create"),
            *("seller_order_reject", "seller_order_report", "seller_order_decline", "seller_order_parts"),
            *("seller_order_credit", "seller_label_new", "seller_label_buy", "seller_label_void"),
            *("seller_return_answer", "seller_return_receipt", "seller_ship_from", "seller_rating"),
        }
    ),
    Duty.PAPERS: frozenset(
        {
            *("seller_orders_csv", "seller_slips", "seller_pull_sheet", "seller_order_slip"),
            *("seller_labels_csv", "seller_label_print"),
        }
    ),
    Duty.LISTINGS: frozenset(
        {
            *("seller_prices_decide", "seller_price_limit", "seller_shop_read", "seller_recount_start"),
            *("seller_recount_decide", "seller_limits", "seller_attributes", "seller_attribute_remove"),
            *("seller_duplicate", "seller_listing_new", "seller_listing_edit", "seller_listing_appeal"),
            *("seller_listing_attributes", "seller_listing_state", "seller_listing_count", "seller_listing_correct"),
            *("seller_offer_terms", "seller_offers_bulk"),
        }
    ),
    Duty.ASK: frozenset({"seller_alert_settle", "seller_alerts_settle", "seller_case_new", "seller_case_answer"}),
    Duty.OWN: frozenset(
        {
            *("seller_alert_mail", "seller_before", "seller_before_terms", "seller_before_details"),
            *("seller_before_document", "seller_before_contact", "seller_before_ask"),
            *("seller_connect", "seller_connect_return", "seller_attempt", "seller_attempt_test"),
            *("seller_connect_platform", "seller_connect_contract", "seller_connect_way", "seller_reconnect"),
            *("seller_shop_first", "seller_shop_try", "seller_evening", "seller_shadow", "seller_shadow_begin"),
            *("seller_choice", "seller_choice_decide", "seller_price_rule", "seller_price_rule_decide"),
            *("seller_go_live", "seller_shop_settings", "seller_shop_test", "seller_shop_money", "seller_shop_pause"),
            *("seller_shop_resume", "seller_shop_disconnect"),
            *("seller_money", "seller_statement", "seller_statement_csv", "seller_statement_pdf", "seller_payouts"),
            *("seller_payout_account", "seller_payout_schedule", "seller_payout_now"),
            *("seller_profile", "seller_shipping", "seller_away", "seller_away_back", "seller_working_days"),
            *("seller_webhooks", "seller_webhook", "seller_webhook_rotate", "seller_webhook_deed"),
            *("seller_webhook_delete", "seller_webhook_again", "seller_tokens", "seller_token_revoke"),
            *("seller_team", "seller_team_send", "seller_team_withdraw", "seller_team_role", "seller_team_remove"),
            "seller_team_hand_over",
        }
    ),
}
# Pages of LOOK with a form on them, and what pressing it is.
PRESSED: dict[str, Duty] = {"seller_order_messages": Duty.ORDERS}
# Anybody who looks sees whom to ask for more.
OPEN_TO_LOOK = frozenset({"seller_team"})
_DUTY = {name: duty for duty, names in PAGES.items() for name in names}


def duty_of(name: str, method: str) -> Duty:
    """What somebody has to have who sends this. An address without an entry is the owner's."""
    reads = method in _READS
    if reads and name in OPEN_TO_LOOK:
        return Duty.LOOK
    return _DUTY.get(name, Duty.OWN) if reads else PRESSED.get(name, _DUTY.get(name, Duty.OWN))
