"""What the routes check in a body before they take it."""

from typing import Any

from crossdock.connectors.woocommerce.sandbox.books import STATUSES
from crossdock.connectors.woocommerce.sandbox.lists import Failed

Doc = dict[str, Any]


def known_status(body: Doc) -> None:
    status = body.get("status", "pending")
    if status not in STATUSES or status == "trash":
        raise Failed(
            400, "rest_invalid_param", "Invalid parameter(s): status", params={"status": "status is not one of them."}
        )


def refund_rows(items: list[Doc]) -> dict[int, tuple[int, str]]:
    """(units, worth) by line id; a line that the order does not have is passed over without a word."""
    return {
        int(row["id"]): (int(row.get("quantity", 0)), str(row.get("refund_total", "0"))) for row in items if "id" in row
    }


def known_email(body: Doc) -> None:
    """An e-mail may be left out or null, but "" is checked like any other text and is no address."""
    email = body.get("billing", {}).get("email")
    if email is not None and "@" not in email:
        detail = "Invalid email address."
        raise Failed(400, "rest_invalid_param", "Invalid parameter(s): billing", params={"billing": detail})
