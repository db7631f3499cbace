"""`crossdock docs`: writes docs/rules.md, docs/platforms.md, docs/roles.md, docs/retention.md, docs/privacy.md and the
README's table of rules from the tables and the manifests; `--check` fails when they are stale.
"""

import argparse
import sys
from pathlib import Path

from crossdock.domain.capability import MEANING, Capability, Manifest, Yes
from crossdock.domain.privacy.runs import GRACE, LINK
from crossdock.domain.privacy.table import PERSONAL
from crossdock.domain.retention import PICTURES, POLICY, Then
from crossdock.domain.roles import WORDS, Role, roles_with
from crossdock.domain.rules import RULES, Mode, Rule, view
from crossdock.domain.team.roles import WORDS as DUTY_WORDS
from crossdock.domain.team.roles import TeamRole
from crossdock.domain.team.roles import roles_with as team_with
from crossdock.kit import discover
from crossdock.kit.conformance import cost, record

NOTE = (
    "<!-- Written by `crossdock docs`. Edit the table in src/crossdock/domain/rules.py or the manifests instead. -->\n"
)


def rules_page(manifests: list[Manifest]) -> str:
    """S1-S9 as described, lifted, and per platform."""
    lines = [
        "# The rules",
        "",
        NOTE,
        (
            "Each rule comes from the help article that this project began with. *As described* is the default;"
            " *lifted* is the operator's switch."
        ),
        "",
        "| id | rule | as described | lifted |",
        "|---|---|---|---|",
    ]
    for rule in RULES:
        lines.append(f"| {rule.id} | {rule.title} | {rule.sentence} | {_lift(rule)} |")
    for manifest in manifests:
        lines += ["", f"## What sellers on {manifest.label} read", ""]
        lines += [
            f"- **{shown.id} {shown.title}.** {shown.sentence}"
            for shown in (view(rule, manifest, lifted=False) for rule in RULES)
        ]
        lines += [f"- {sentence}" for sentence in manifest.keep_in_mind]
    return "\n".join(lines) + "\n"


def platforms_page(manifests: list[Manifest]) -> str:
    """The capability matrix, then each platform's evidence and limits."""
    lines = [
        "# The platforms",
        "",
        NOTE,
        "Every capability is answered; where the answer is no, the sentence is what the seller reads.",
        "",
        "| capability | " + " | ".join(manifest.label for manifest in manifests) + " |",
        "|---|" + "---|" * len(manifests),
    ]
    for capability in Capability:
        answers = ["yes" if isinstance(m.answers[capability], Yes) else "no" for m in manifests]
        lines.append(f"| {MEANING[capability]} | " + " | ".join(answers) + " |")
    said = [", ".join(manifest.words) or "-" for manifest in manifests]
    lines.append("| What your products say by name, for your rules. | " + " | ".join(said) + " |")
    lines += _costs(manifests)
    for manifest in manifests:
        lines += ["", f"## {manifest.label} ({manifest.api_version})", "", "How its claims were checked:", ""]
        lines += [f"- {e.kind} ({e.api_version}, {e.checked_on}): {e.sentence}" for e in manifest.evidence]
        lines += [f"- scenarios ({one.api_version}): {one.sentence}" for one in record.of(manifest.name)]
        limits = [manifest.sentence(c) for c in Capability if not manifest.can(c)] + list(manifest.known_limits)
        lines += ["", "Known limits:", "", *(f"- {limit}" for limit in limits)] if limits else []
    return "\n".join(lines) + "\n"


def roles_page() -> str:
    """Who of staff may what, and who of a seller's team."""
    lines = [
        "# Roles of staff",
        "",
        NOTE.replace("domain/rules.py or the manifests", "domain/roles.py"),
        (
            "Given and taken on the server: `crossdock staff EMAIL --role support`, `--take support`, `--off`;"
            " `crossdock staff` lists who has which. The first member of staff is admin. A role that is taken away ends"
            " the person's sessions, and with them what they had proved and as whom they acted; API tokens of the"
            " marketplace that they made end too when they may make none any more. The same table is shown at"
            " `/staff/roles/`."
        ),
        "",
        "| may | " + " | ".join(Role) + " |",
        "|---|" + "---|" * len(Role),
    ]
    for right, what in WORDS.items():
        lines.append(f"| {what} | " + " | ".join("yes" if r in roles_with(right) else "-" for r in Role) + " |")
    lines += [
        "",
        "Whatever their roles, nobody decides about an order that they bought or sold, and a credit above the limit"
        " needs two people ([staff.md](staff.md)).",
        "",
        "# Roles in a seller's team",
        "",
        "The owner asks people in at `/seller/team/`; one person may have orders and listings together, and works for"
        " one shop. A page or a deed that is in no group is the owner's ([decision 28](decisions/0028-teams.md)).",
        "",
        "| may | " + " | ".join(TeamRole) + " |",
        "|---|" + "---|" * len(TeamRole),
    ]
    for duty, what in DUTY_WORDS.items():
        held = team_with(duty)
        lines.append(f"| {what} | " + " | ".join("yes" if role in held else "-" for role in TeamRole) + " |")
    return "\n".join(lines) + "\n"


def _costs(manifests: list[Manifest]) -> list[str]:
    """What a shop is asked, counted at its simulator by `crossdock check connector NAME --record`."""
    lines = [
        "",
        "## Calls",
        "",
        f"Counted at the simulators: an order created and read back, {cost.PRODUCTS:,} products read for the first"
        " time, and an hour in which nothing happens. Our pace leaves a fifth of what the vendor allows.",
        "",
        f"| platform | an order | {cost.PRODUCTS:,} products | an hour at rest | with proven webhooks | calls a second,"
        " at most | the vendor allows |",
        "|---|---|---|---|---|---|---|",
    ]
    for manifest in manifests:
        if (calls := cost.of(manifest.name)) is None:
            continue
        proven = calls.an_hour_at_rest(manifest, proven=True) if manifest.can(Capability.WEBHOOKS) else "-"
        allowed = "no limit named" if manifest.pace.published is None else f"{manifest.pace.published:g}"
        lines.append(
            f"| {manifest.label} | {calls.order} | {calls.products} | {calls.an_hour_at_rest(manifest, proven=False)}"
            f" | {proven} | {manifest.pace.per_second:g} | {allowed} |"
        )
    return lines


def privacy_page() -> str:
    """What becomes of each table when its person leaves."""
    lines = [
        "# A person's data",
        "",
        "<!-- Written by `crossdock docs`. Edit the table in src/crossdock/domain/privacy/table.py instead. -->",
        "",
        f"Everybody finds “Your data” in the account's menu: a copy of all that is kept of them, which can be had for"
        f" {LINK.days} days, and the deletion of their account, which begins {GRACE.days} days after it was asked for."
        " It is not begun while an order, a payment, a refund, a dispute, a label, a case or a balance is open; what"
        " comes up in those days is waited for for three more. Staff do both for a person at `/staff/people/`; a"
        " deletion by staff takes a second person. For somebody who cannot sign in, `crossdock person EMAIL --copy-data"
        " FILE` writes the copy on the server.",
        "",
        "The worker does both, a batch at a time; a worker that is killed is followed by another. **Backups** made"
        " before hold the person until they are thrown away (`crossdock backup --keep 14` keeps two weeks). After"
        " restoring one, delete again whom it brought back: `crossdock audit export` of before names their accounts in"
        " rows “account deleted”, so keep it elsewhere.",
        "",
        "| what | table | then | what stays, and why |",
        "|---|---|---|---|",
        *(f"| {one.what} | `{one.table}` | {one.then} | {one.why} |" for one in PERSONAL),
    ]
    return "\n".join(lines) + "\n"


def retention_page() -> str:
    """How long data is kept."""
    lines = [
        "# How long data is kept",
        "",
        NOTE.replace("domain/rules.py or the manifests", "domain/retention.py"),
        (
            "The worker carries this out every night, a few rows at a time; recorded calls, deliveries and quotes go"
            " every hour. `crossdock retention` shows it, `crossdock retention --now` does what is due, and staff read"
            " it at `/staff/retention/`. A backup keeps what it held: keep backups no longer than the shortest time"
            " here that matters to you, since a restored one brings rows back until the next night."
        ),
        "",
        "| what | table | after | then | why |",
        "|---|---|---|---|---|",
    ]
    for rule in (*POLICY, PICTURES):
        after = "" if rule.then is Then.KEEP else "at once" if not rule.days else f"{rule.days} d"
        lines.append(f"| {rule.what} | `{rule.table}` | {after} | {rule.then} | {rule.why} |")
    return "\n".join(lines) + "\n"


# The README's table stands between these.
_BEGIN, _END = "<!-- rules -->\n", "<!-- /rules -->\n"


def readme(text: str) -> str:
    """The README with the table of rules as it is now; one without the marks is left as it is."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        return text
    rows = [f"| {rule.id} | {rule.title} | {rule.sentence} | {_lift(rule)} |\n" for rule in RULES]
    table = "".join(["| id | rule | as described | lifted |\n", "|---|---|---|---|\n", *rows])
    return f"{before}{_BEGIN}{table}{_END}{after}"


def _lift(rule: Rule) -> str:
    lift = rule.lifted or "-"
    return f"{lift} *(not built yet)*" if rule.lifted and Mode.LIFTED not in rule.built else lift


def pages() -> dict[str, str]:
    manifests = [connector.manifest for connector in discover.ours().values()]
    return {
        "rules.md": rules_page(manifests),
        "platforms.md": platforms_page(manifests),
        "roles.md": roles_page(),
        "retention.md": retention_page(),
        "privacy.md": privacy_page(),
    }


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)
    if (front := _readme_of(folder)).is_file():
        front.write_text(readme(front.read_text()))


def _readme_of(folder: Path) -> Path:
    return folder.parent / "README.md"


def stale(folder: Path) -> list[str]:
    """Names of pages that are not what the code says now."""
    names = [
        name for name, text in pages().items() if not (folder / name).is_file() or (folder / name).read_text() != text
    ]
    front = _readme_of(folder)
    if front.is_file() and readme(front.read_text()) != front.read_text():
        names.append("README.md")
    return names


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs"))
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")


def run(args: argparse.Namespace) -> int:
    if not args.check:
        write(args.folder)
        return 0
    names = stale(args.folder)
    if names:
        print(f"Stale: {', '.join(names)}. Run `crossdock docs`.", file=sys.stderr)
    return 1 if names else 0
