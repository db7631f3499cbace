"""Where a person plays the buyer at their bank (`/_bank/<payment>`), and the operator at the provider's dashboard
(`/_bank`).
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Protocol

from aiohttp import web

from crossdock.payments.sandbox.wire.bank import Bank
from crossdock.payments.sandbox.wire.shapes import Json, Problem

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *",
    "Cache-Control": "no-store",
}
_STYLE = (
    "body{font:16px system-ui;max-width:60rem;margin:1rem auto;padding:0"
    " 1rem}form{display:inline-flex;gap:.5rem;margin:.25rem 0}button,input{font:inherit;padding:.4rem"
    " .8rem}td{padding:.3rem .8rem .3rem 0}"
)
_BANNER = '<p role="note"><strong>Simulated bank.</strong> No real money is here.</p>'
_ACTS: Mapping[str, Callable[[Bank, str], object]] = {
    "refund": lambda it, ref: it.refund({"payment_intent": ref}),
    "dispute": lambda it, ref: it.dispute(ref),
    "ask": lambda it, ref: it.dispute(ref, "warning_needs_response"),
    "warn": lambda it, ref: it.warn(ref),
    "won": lambda it, ref: _judge(it, ref, "won"),
    "lost": lambda it, ref: _judge(it, ref, "lost"),
}


class Acting(Protocol):
    """The server, as far as a person at the bank's pages reaches it."""

    def do(self, work: Callable[[Bank], object]) -> None: ...


def add_to(app: web.Application, wire: Acting) -> None:
    """Add the pages."""

    async def ask(request: web.Request) -> web.Response:
        ref = escape(request.match_info["ref"])
        form = f'<form method="post" action="/_bank/{ref}">'
        return _page(
            "Is it you?",
            f"<p>A shop wants to charge your card.</p>{form}<button name=do value=yes>Yes, it is me</button> <button"
            " name=do value=no>No</button></form>",
        )

    async def answer(request: web.Request) -> web.Response:
        yes = (await request.post()).get("do") == "yes"
        back: list[str] = []
        try:
            wire.do(lambda it: back.append(it.approve(request.match_info["ref"], yes=yes)))
        except Problem as problem:
            return _page("Unknown payment", f"<p>{escape(str(problem))}</p>", status=404)
        raise web.HTTPSeeOther(back[0])

    async def show(request: web.Request) -> web.Response:
        rows: list[Json] = []
        wire.do(lambda it: rows.extend(it.intents("", {"limit": "50"})["data"]))
        return _page("Payments", f"<table>{''.join(map(_row, rows))}</table>" if rows else "<p>No payments yet.</p>")

    async def act(request: web.Request) -> web.Response:
        form = await request.post()
        try:
            wire.do(lambda it: _ACTS[str(form.get("do"))](it, str(form.get("ref"))))
        except (Problem, KeyError) as problem:
            return _page(
                "That did not work", f"<p>{escape(str(problem))}</p><p><a href=/_bank>Back</a></p>", status=400
            )
        raise web.HTTPSeeOther("/_bank")

    app.router.add_get("/_bank", show)
    app.router.add_post("/_bank", act)
    app.router.add_get("/_bank/{ref}", ask)
    app.router.add_post("/_bank/{ref}", answer)


def _judge(it: Bank, ref: str, status: str) -> None:
    for row in it.disputes("", {"payment_intent": ref})["data"]:
        it.judge(row["id"], status)


def _row(intent: Json) -> str:
    words = {
        "refund": "Refund the rest",
        "dispute": "The buyer disputes it",
        "ask": "Their bank asks",
        "warn": "Early fraud warning",
        "won": "Dispute won",
        "lost": "Dispute lost",
    }
    buttons = "".join(f'<button name="do" value="{do}">{word}</button>' for do, word in words.items())
    form = (
        '<form method="post" action="/_bank"><input type="hidden" name="ref"'
        f' value="{escape(intent["id"])}">{buttons}</form>'
    )
    paid = intent["status"] == "succeeded"
    return (
        f"<tr><td>{escape(intent['id'])}</td><td>{intent['amount']}"
        f" {escape(intent['currency'])}</td><td>{escape(intent['status'])}</td><td>{form if paid else ''}</td></tr>"
    )


def _page(title: str, body: str, status: int = 200) -> web.Response:
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width,initial-scale=1"><title>{title}</title><style>{_STYLE}</style>'
    )
    return web.Response(
        text=f"{head}{_BANNER}<h1>{title}</h1>{body}", content_type="text/html", headers=_HEADERS, status=status
    )
