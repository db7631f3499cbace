"""What the bank does, inside one transaction of its ledger: begin, confirm, cancel, refund, dispute.

Money is written where the other sandbox writes it.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crossdock.domain.currencies import CURRENCIES
from crossdock.payments.sandbox.ledger import Payment, payment, refunded, write_payment, write_refund
from crossdock.payments.sandbox.wire import shapes
from crossdock.payments.sandbox.wire.shapes import Card, Json, Problem, bad, card_of, inner, no_such

TABLES = """
CREATE TABLE IF NOT EXISTS wire_intent (
    ref TEXT PRIMARY KEY, minor INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL,
      metadata TEXT NOT NULL, secret TEXT NOT NULL,
    method TEXT NOT NULL DEFAULT '', error TEXT, back_url TEXT, charge TEXT, canceled_at INTEGER,
      created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS wire_refund (ref TEXT PRIMARY KEY, payment TEXT NOT NULL, minor INTEGER NOT NULL,
  status TEXT NOT NULL, metadata TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS wire_dispute (ref TEXT PRIMARY KEY, payment TEXT NOT NULL, minor INTEGER NOT NULL,
  status TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS wire_warning (ref TEXT PRIMARY KEY, payment TEXT NOT NULL, kind TEXT NOT NULL,
  created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS wire_key (key TEXT PRIMARY KEY, print TEXT NOT NULL, status INTEGER NOT NULL,
  body TEXT NOT NULL, at REAL NOT NULL);
"""
BEGIN = (
    "amount",
    "currency",
    "payment_method_types",
    "metadata",
    "description",
    "confirm",
    "payment_method",
    "return_url",
    "error_on_requires_action",
    "expand",
)
CONFIRM = ("payment_method", "return_url", "error_on_requires_action", "expand")
CANCEL = ("cancellation_reason", "expand")
REFUND = ("payment_intent", "charge", "amount", "metadata", "reason", "expand")
# Written down a second time, from Stripe's page on currencies, so that the adapter's own table is checked against
# another one.
_WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
_THREE = {"bhd", "jod", "kwd", "omr", "tnd"}
_HUNDREDS = {"isk", "ugx"}
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
MOST = 99_999_999


@dataclass(slots=True)
class Bank:
    """One call's view of the ledger. `events` are told after the commit."""

    db: sqlite3.Connection
    now: int
    address: str
    events: list[tuple[str, Json]] = field(default_factory=list)

    def begin(self, form: Mapping[str, str]) -> Json:
        minor, currency = _amount(form.get("amount", "")), form.get("currency", "")
        if currency.upper() not in CURRENCIES or currency != currency.lower():
            raise bad(f"Invalid currency: {currency}.", param="currency")
        _fits(minor, currency)
        ref, meta = _id("pi"), inner(form, "metadata")
        self.db.execute(
            "INSERT INTO wire_intent (ref, minor, currency, status, metadata, secret, created) VALUES (?, ?, ?,"
            " 'requires_payment_method', ?, ?, ?)",
            [ref, minor, currency, json.dumps(meta), secrets.token_hex(8), self.now],
        )
        return self.confirm(ref, form) if form.get("confirm") == "true" else self.intent(ref, form)

    def confirm(self, ref: str, form: Mapping[str, str]) -> Json:
        row = self._row(ref)
        card = card_of(form.get("payment_method", ""))
        if row["status"] not in _OPEN:
            raise self._unexpected(row, "confirm")
        self._set(ref, method=form["payment_method"], error=None, back_url=form.get("return_url"))
        if card.decline:
            raise self._declined(ref, "card_declined", "Your card was declined.", card.decline)
        if card.asks:
            if form.get("error_on_requires_action") == "true":
                raise self._declined(
                    ref, "authentication_required", "This payment requires authentication.", "authentication_required"
                )
            if not form.get("return_url"):
                raise bad("A return_url is needed to hand the buyer over to the bank.", param="return_url")
            self._set(ref, status="requires_action")
            return self.intent(ref, form)
        return self._succeed(ref, form)

    def _succeed(self, ref: str, form: Mapping[str, str]) -> Json:
        row = self._row(ref)
        self._set(ref, status="succeeded", charge=_id("ch"))
        write_payment(self.db, Payment(ref, row["minor"], row["currency"].upper(), "captured", row["method"], ref, ""))
        self._tell("payment_intent.succeeded", self.intent(ref, {}))
        if card_of(row["method"]).disputes:
            self.dispute(ref)
        return self.intent(ref, form)

    def approve(self, ref: str, *, yes: bool) -> str:
        """The buyer at their bank. Returns where the browser goes back to."""
        row = self._row(ref)
        if row["status"] == "requires_action":
            if yes:
                self._succeed(ref, {})
            else:
                said = "The provided PaymentMethod has failed authentication."
                error = {
                    "type": "invalid_request_error",
                    "code": "payment_intent_authentication_failure",
                    "message": said,
                }
                self._set(ref, status="requires_payment_method", error=json.dumps(error))
                self._tell("payment_intent.payment_failed", self.intent(ref, {}))
        after = "succeeded" if self._row(ref)["status"] == "succeeded" else "failed"
        return f"{row['back_url']}?payment_intent={ref}&redirect_status={after}"

    def cancel(self, ref: str, form: Mapping[str, str]) -> Json:
        row = self._row(ref)
        if row["status"] not in _OPEN:
            raise self._unexpected(row, "cancel")
        self._set(ref, status="canceled", canceled_at=self.now)
        self._tell("payment_intent.canceled", self.intent(ref, {}))
        return self.intent(ref, form)

    def refund(self, form: Mapping[str, str]) -> Json:
        row = self._row(form.get("payment_intent", ""))
        paid = payment(self.db, row["ref"])
        if paid is None:
            raise bad(f"This PaymentIntent ({row['ref']}) does not have a successful charge to refund.", saved=True)
        left = paid.minor - refunded(self.db, row["ref"])
        if left == 0:
            raise bad(f"Charge {row['charge']} has already been refunded.", saved=True, code="charge_already_refunded")
        minor = _amount(form["amount"]) if "amount" in form else left
        _fits(minor, row["currency"])
        if minor > left:
            raise bad(
                f"Refund amount ({minor}) is greater than unrefunded amount on charge ({left})",
                saved=True,
                param="amount",
            )
        disputes = self._all("SELECT status FROM wire_dispute WHERE payment = ?", [row["ref"]])
        if any(one["status"] in ("needs_response", "under_review", "lost") for one in disputes):
            raise bad(
                f"Charge {row['charge']} has been charged back; cannot issue a refund.",
                saved=True,
                code="charge_disputed",
            )
        ref = _id("re")
        self.db.execute(
            "INSERT INTO wire_refund (ref, payment, minor, status, metadata, created) VALUES (?, ?, ?, 'succeeded',"
            " ?, ?)",
            [ref, row["ref"], minor, json.dumps(inner(form, "metadata")), self.now],
        )
        write_refund(self.db, key=ref, intent=row["ref"], minor=minor, ref=ref)
        made = self.refund_of(ref)
        self._tell("refund.created", made)
        self._tell("charge.refunded", self._charge(row["ref"]) or {})
        return made

    def fail_refund(self, ref: str) -> None:
        """The buyer's bank sends the money back, days later."""
        self.db.execute("UPDATE wire_refund SET status = 'failed' WHERE ref = ?", [ref])
        self.db.execute("DELETE FROM refund WHERE key = ?", [ref])
        self._tell("refund.failed", self.refund_of(ref))

    def dispute(self, ref: str, status: str = "needs_response") -> str:
        """The buyer's bank takes the money back, or only asks (`warning_needs_response`)."""
        row, dispute = self._row(ref), _id("du")
        self.db.execute(
            "INSERT INTO wire_dispute (ref, payment, minor, status, created) VALUES (?, ?, ?, ?, ?)",
            [dispute, ref, row["minor"], status, self.now],
        )
        self._tell("charge.dispute.created", self.dispute_of(dispute))
        return dispute

    def warn(self, ref: str, kind: str = "made_with_stolen_card") -> str:
        """The card's issuer says that its owner did not pay. No money moves."""
        row, warning = self._row(ref), _id("issfr")
        if row["status"] != "succeeded":
            raise bad("Only a payment that succeeded can be reported.")
        self.db.execute(
            "INSERT INTO wire_warning (ref, payment, kind, created) VALUES (?, ?, ?, ?)",
            [warning, ref, kind, self.now],
        )
        self._tell("radar.early_fraud_warning.created", self.warning_of(warning))
        return warning

    def judge(self, dispute: str, status: str) -> None:
        self.db.execute("UPDATE wire_dispute SET status = ? WHERE ref = ?", [status, dispute])
        self._tell("charge.dispute.closed", self.dispute_of(dispute))

    # What it shows

    def intent(self, ref: str, form: Mapping[str, str]) -> Json:
        row, expand = self._row(ref), "latest_charge" in inner(form, "expand").values()
        return shapes.payment_intent(row, charge=self._charge(ref), expand=expand, address=self.address)

    def refund_of(self, ref: str) -> Json:
        return shapes.refund(self._one(_REFUNDS + " WHERE r.ref = ?", [ref], "refund"))

    def dispute_of(self, ref: str) -> Json:
        return shapes.dispute(self._one(_DISPUTES + " WHERE d.ref = ?", [ref], "dispute"))

    def warning_of(self, ref: str) -> Json:
        return self._warning(self._one(_WARNINGS + " WHERE w.ref = ?", [ref], "radar.early_fraud_warning"))

    def _warning(self, row: Json) -> Json:
        """Nothing is left to do once the payment was disputed or wholly refunded."""
        disputed = self._all("SELECT 1 AS one FROM wire_dispute WHERE payment = ?", [row["payment"]])
        paid = self._row(row["payment"])["minor"]
        return shapes.warning(row, actionable=not disputed and refunded(self.db, row["payment"]) < paid)

    def intents(self, url: str, query: Mapping[str, str]) -> Json:
        rows = self._all("SELECT ref FROM wire_intent ORDER BY rowid DESC LIMIT 101", [])
        limit = int(query.get("limit", 10))
        return shapes.listed(url, [self.intent(row["ref"], {}) for row in rows], limit=limit, more=len(rows) > limit)

    def search(self, url: str, name: str, value: str, *, lag: float) -> Json:
        """What is younger than `lag` seconds is not in the search yet."""
        rows = self._all("SELECT ref, metadata FROM wire_intent WHERE created <= ?", [self.now - lag])
        found = [self.intent(row["ref"], {}) for row in rows if row["metadata"].get(name) == value]
        return shapes.listed(url, found, limit=100, more=False, kind="search_result")

    def refunds(self, url: str, query: Mapping[str, str]) -> Json:
        return self._listed(url, query, _REFUNDS, "r", shapes.refund)

    def disputes(self, url: str, query: Mapping[str, str]) -> Json:
        return self._listed(url, query, _DISPUTES, "d", shapes.dispute)

    def warnings(self, url: str, query: Mapping[str, str]) -> Json:
        return self._listed(url, query, _WARNINGS, "w", self._warning)

    def _listed(
        self, url: str, query: Mapping[str, str], select: str, table: str, shape: Callable[[Json], Json]
    ) -> Json:
        """Newest first, in pages; `starting_after` names the last one seen."""
        where, values = f"{table}.created >= ?", [query.get("created[gte]", "0")]
        if "payment_intent" in query:
            where, values = where + f" AND {table}.payment = ?", [*values, query["payment_intent"]]
        if "starting_after" in query:
            after = {"r": "wire_refund", "d": "wire_dispute", "w": "wire_warning"}[table]
            where += f" AND {table}.rowid < (SELECT rowid FROM {after} WHERE ref = ?)"  # noqa: S608 - one of three tables
            values = [*values, query["starting_after"]]
        limit = int(query.get("limit", 10))
        rows = self._all(f"{select} WHERE {where} ORDER BY {table}.rowid DESC LIMIT ?", [*values, limit + 1])
        return shapes.listed(url, [shape(row) for row in rows], limit=limit, more=len(rows) > limit)

    def _charge(self, ref: str) -> Json | None:
        row = self._row(ref)
        if not row["charge"]:
            return None
        disputed = bool(self._all("SELECT 1 AS one FROM wire_dispute WHERE payment = ?", [ref]))
        return shapes.charge(row, refunded=refunded(self.db, ref), disputed=disputed)

    def _declined(self, ref: str, code: str, message: str, decline_code: str) -> Problem:
        error = {"type": "card_error", "code": code, "decline_code": decline_code, "message": message}
        self._set(ref, status="requires_payment_method", error=json.dumps(error))
        intent = self.intent(ref, {})
        self._tell("payment_intent.payment_failed", intent)
        return Problem(
            402, "card_error", message, saved=True, code=code, decline_code=decline_code, payment_intent=intent
        )

    def _unexpected(self, row: Json, what: str) -> Problem:
        said = f"You cannot {what} this PaymentIntent because it has a status of {row['status']}."
        return bad(said, saved=True, code="payment_intent_unexpected_state", payment_intent=self.intent(row["ref"], {}))

    def _row(self, ref: str) -> Json:
        return self._one("SELECT * FROM wire_intent WHERE ref = ?", [ref], "payment_intent")

    def _one(self, query: str, values: list[Any], what: str) -> Json:
        rows = self._all(query, values)
        if not rows:
            raise no_such(what, str(values[0]))
        return rows[0]

    def _all(self, query: str, values: list[Any]) -> list[Json]:
        cursor = self.db.execute(query, values)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            row |= {name: json.loads(row[name]) for name in ("metadata", "error") if row.get(name)}
        return rows

    def _set(self, ref: str, **columns: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self.db.execute(f"UPDATE wire_intent SET {names} WHERE ref = ?", [*columns.values(), ref])  # noqa: S608 - our own names

    def _tell(self, topic: str, thing: Json) -> None:
        self.events.append((topic, thing))


_REFUNDS = "SELECT r.*, i.currency, i.charge FROM wire_refund r JOIN wire_intent i ON i.ref = r.payment"
_DISPUTES = "SELECT d.*, i.currency, i.charge FROM wire_dispute d JOIN wire_intent i ON i.ref = d.payment"

_WARNINGS = "SELECT w.*, i.charge FROM wire_warning w JOIN wire_intent i ON i.ref = w.payment"


def _id(kind: str) -> str:
    return f"{kind}_3{secrets.token_hex(11)}"


def _amount(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise bad(f"Invalid integer: {text}", param="amount", code="parameter_invalid_integer")
    return int(text)


def _fits(minor: int, currency: str) -> None:
    """Stripe's rules for an amount in a currency."""
    if not 0 < minor <= MOST:
        raise bad(
            "Amount must be greater than nothing and have at most eight digits.",
            param="amount",
            code="amount_too_small" if minor <= 0 else "amount_too_large",
        )
    if currency in _THREE and minor % 10:
        raise bad(f"Invalid amount. The last digit of an amount in {currency.upper()} has to be 0.", param="amount")
    if currency in _HUNDREDS and minor % 100:
        raise bad(
            f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by 100.",
            param="amount",
            code="invalid_charge_amount_no_decimal_compatible",
        )


def decimals(currency: str) -> int:
    """How Stripe reads an amount in this currency; for pages and tests."""
    return 0 if currency in _WHOLE else 3 if currency in _THREE else 2


__all__ = ["BEGIN", "CANCEL", "CONFIRM", "REFUND", "TABLES", "Bank", "Card", "decimals"]
