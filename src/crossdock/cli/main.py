"""`crossdock <command>`.

A command's module is imported only when it is called, so that the supervisor of a machine stays small.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Protocol

from crossdock.cli.trouble import Trouble
from crossdock.config import WrongSetting

# command -> (module below crossdock.cli, what it does)
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "the whole demo on this machine: database, web server, worker, simulated shops"),
    "serve": ("serve", "a web server; any number of them may share one database"),
    "work": ("work", "a worker; any number of them may share one database"),
    "sandbox": ("sandbox", "simulated shops"),
    "migrate": ("migrate", "bring the database to this version"),
    "world": ("world", "fill the demo world, once"),
    "backup": ("backups.backup", "write the database to a file"),
    "restore": ("backups.restore", "replace the database by a backup"),
    "database": ("database", "start, stop or look at the embedded database"),
    "check": ("checks", "whether payments are set up, and whether a connector or a shop does what it claims"),
    "risk": ("risks.risk", "how well the risk rules tell fraud from honest orders"),
    "replay": ("replay", "play a case file against the connectors of this version, offline"),
    "docs": ("docs", "write the generated pages, or check that they are fresh"),
    "doctor": ("doctor", "look at settings, database, keys, disk, mail and the public address, and say what to mend"),
    "staff": ("staff", "give and take staff's roles; list who has which"),
    "audit": ("audit", "whether the audit log is whole, and the log as JSON lines"),
    "retention": ("retention", "how long data is kept; delete and black out what is due"),
    "person": ("person", "suspend somebody, let them in again, or end their sessions and tokens"),
    "platform": ("pausing", "pause or resume all shops of a platform, with words for their sellers"),
    "attributes": ("finding.attributes", "the marketplace's attributes and categories, as a JSON document"),
    "commission": ("sellers.commission", "what the marketplace keeps of a seller's orders from now on"),
    "trader": ("sellers.trader", "whether a seller sells as a business or as a private person"),
    "agent-keys": ("sellers.agent_keys", "the keys that agents check our order updates with"),
    "agent-updates": ("sellers.agent_updates", "where shopping agents hear of their orders"),
    "mcp": ("mcp.command", "a seller's tools for an assistant, on standard input and output (MCP)"),
    "resend": ("resend", "list what was given up by its cause, and send one cause again"),
    "rotate-vault-key": ("vault", "encrypt the shops' credentials with a new key"),
}


class Command(Protocol):
    """What a command's module offers."""

    def words(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code. What an operator can put right is one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="crossdock", description="A marketplace with store connectors.")
    parser.add_argument("--version", action="version", version=f"crossdock {version('crossdock')}")
    return dispatch(parser, COMMANDS, argv, package="crossdock.cli", kind="command")


def dispatch(
    parser: argparse.ArgumentParser,
    offered: Mapping[str, tuple[str, str]],
    argv: Sequence[str] | None,
    *,
    package: str,
    kind: str,
) -> int:
    """Run the one of `offered` (name -> module below the package, what it does) that is named, and import no other."""
    given = list(sys.argv[1:] if argv is None else argv)
    commands = parser.add_subparsers(dest=kind, required=True, metavar=kind)
    module: Command | None = None
    for name, (place, does) in offered.items():
        its = commands.add_parser(name, help=does, description=does[:1].upper() + does[1:] + ".")
        if given and given[0] == name:
            module = import_module(f"{package}.{place}")
            module.words(its)
    args = parser.parse_args(given)
    assert module is not None
    try:
        return module.run(args)
    except (Trouble, WrongSetting) as trouble:
        print(f"{package.partition('.')[0]}: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
