"""`crossdock agent-updates`: where each shopping agent hears of its orders; with a token's number and --url it hears
there from now on by ACP, signed with a secret that is printed once, or with the one that the agent gave (--secret,
typed). By UCP the agent's own profile says where.
"""

import argparse
import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crossdock.cli import database
from crossdock.cli.deeds import member_of_staff
from crossdock.cli.trouble import Trouble, refusals

if TYPE_CHECKING:
    from crossdock.store.models import ApiToken, Endpoint, User


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("token", nargs="?", type=int, help="the token's number in the list; none lists all")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--url", help="the agent's address for order events, in place of the one before")
    what.add_argument("--resume", action="store_true", help="go on after it was paused, and send what waits")
    what.add_argument("--end", action="store_true", help="tell it nothing any more")
    parser.add_argument("--secret", action="store_true", help="with --url: type the secret that the agent gave")
    parser.add_argument("--by", metavar="STAFF", help="whose deed it is, by their address")


def run(args: argparse.Namespace) -> int:
    database.ready()
    from crossdock.usecases.accounts.tokens import all_tokens
    from crossdock.usecases.outcomes.agents_told import agents_endpoint, resume_agent
    from crossdock.usecases.outcomes.endpoints import delete_endpoint

    if args.token is None:
        return _listed()
    token = all_tokens().filter(pk=args.token, seller=None, revoked_at=None).first()
    if token is None:
        raise Trouble(f"There is no token number {args.token}; `crossdock agent-updates` lists them.")
    if not (args.url or args.resume or args.end):
        raise Trouble("Say what is wanted: --url, --resume or --end.")
    if not args.by:
        raise Trouble("Name with --by whose deed it is.")
    actor, now = member_of_staff(args.by), datetime.now(UTC)
    if args.url:
        return _told_at(token, actor, args.url, own=args.secret)
    with refusals():
        if args.end:
            row = agents_endpoint(token=token)
            if row is None:
                raise Trouble(
                    "By ACP this agent is told nothing; --url says where to. By UCP its own profile says where: revoke"
                    " the token to tell it nothing."
                )
            delete_endpoint(endpoint=row, actor=actor, now=now)
            said = "By ACP it is told nothing any more."
        else:
            said = f"It is told again; messages that wait: {resume_agent(token=token, actor=actor, now=now)}."
    print(said)
    return 0


def _told_at(token: "ApiToken", actor: "User", url: str, *, own: bool) -> int:
    from django.conf import settings

    from crossdock.kit.errors import NotSent
    from crossdock.kit.guard import check_url
    from crossdock.usecases.outcomes.agents_told import tell_agent_at

    try:
        check_url(url, local=settings.ALLOW_LOCAL_SHOPS)
    except NotSent as wrong:
        raise Trouble(str(wrong)) from None
    given = getpass.getpass("The agent's secret: ") if own else ""
    if own and not given.strip():
        raise Trouble("No secret was typed; without --secret a fresh one is made.")
    with refusals():
        _, secret = tell_agent_at(token=token, actor=actor, url=url, secret=given, now=datetime.now(UTC))
    print(f"{token.name} hears of its orders at {url} from now on.")
    if not own:
        print(f"Its secret, shown this once: {secret}")
    if not settings.AGENTS:
        print("ACP is switched off (CROSSDOCK_AGENTS), so nothing is sent yet.")
    return 0


def _listed() -> int:
    from crossdock.usecases.accounts.tokens import FOR_AGENTS, all_tokens, reaches
    from crossdock.usecases.outcomes.agents_told import agents_endpoints

    rows = all_tokens().filter(seller=None, revoked_at=None).order_by("pk")
    agents = [token for token in rows if reaches(token.scopes, area=FOR_AGENTS, change=True)]
    told = agents_endpoints(agents)
    for token in agents:
        print(f"{token.pk:>6}  {token}  {_where(told.get(token.pk, []))}")
    if not agents:
        print("No token lets an agent buy; they are made at /staff/tokens/.")
    return 0


def _where(rows: "list[Endpoint]") -> str:
    said = [f"by {row.protocol.upper()} at {row.url}{_paused(row)}" for row in rows]
    return ", and ".join(said) or "is told nothing"


def _paused(row: "Endpoint") -> str:
    return f", paused: {row.paused_why}" if row.paused_at else ""
