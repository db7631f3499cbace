"""The shapes of a case's evidence: each stored row as the file shows it, with the key by which it can be taken out."""

from datetime import datetime
from typing import Any

from crossdock.store.models import Call, Command, Delivery, Exchange, Movement, TimelineEntry


def moment_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def call_of(row: Call, inside: list[Exchange]) -> dict[str, Any]:
    return {
        "key": f"call:{row.key}",
        "operation": row.operation,
        "subject": row.subject,
        "at": moment_text(row.at),
        "given": row.given,
        "made": row.made,
        "exchanges": [exchange_of(one) for one in inside],
    }


def exchange_of(row: Exchange) -> dict[str, Any]:
    return {
        "key": f"exchange:{row.pk}",
        "at": moment_text(row.at),
        "method": row.method,
        "url": row.url,
        "status": row.status,
        "milliseconds": row.milliseconds,
        "request": row.request,
        "headers": row.headers,
        "answer": row.response,
        "trouble": row.error,
    }


def delivery_of(row: Delivery) -> dict[str, Any]:
    body = bytes(row.body)
    text = body.decode(errors="replace") if len(body) <= 200_000 else f"({len(body)} bytes)"
    return {
        "key": f"delivery:{row.pk}",
        "at": moment_text(row.received_at),
        "topic": row.topic,
        "headers": row.headers,
        "body": text,
        "made": row.news,
        "handled_at": moment_text(row.handled_at),
        "doubles": row.doubles,
        "note": row.note,
    }


def command_of(row: Command) -> dict[str, Any]:
    return {
        "key": f"command:{row.pk}",
        "kind": row.kind,
        "subject": row.subject,
        "at": moment_text(row.created_at),
        "given": row.payload,
        "state": row.state,
        "result": row.result,
        "said": row.sentence,
        "outcome": row.outcome,
        "attempts": row.attempts,
        "first_sent_at": moment_text(row.first_sent_at),
        "last_sent_at": moment_text(row.last_sent_at),
        "finished_at": moment_text(row.finished_at),
    }


def entry_of(row: TimelineEntry) -> dict[str, Any]:
    return {
        "key": f"entry:{row.pk}",
        "at": moment_text(row.at),
        "source": row.source,
        "kind": row.kind,
        "said": row.sentence,
    }


def movement_of(row: Movement) -> dict[str, Any]:
    return {
        "key": f"movement:{row.pk}",
        "at": moment_text(row.at),
        "sku": row.variant.sku,
        "kind": row.kind,
        "quantity": row.quantity,
        "count_before": row.count_before,
        "count_after": row.count_after,
        "because": row.cause,
    }
