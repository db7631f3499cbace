"""Who of staff may what: the one table. `usecases/record/rights.py` asks it; docs/roles.md and a page show it."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is at work. One person may have several."""

    SUPPORT = "support"
    RISK = "risk"
    FINANCE = "finance"
    OPERATIONS = "operations"
    ADMIN = "admin"


class Right(StrEnum):
    """What staff may. Each page and each deed of theirs names one."""

    LOOK = "look"
    CASES = "cases"
    ACT = "act"
    CREDIT = "credit"
    DECIDE = "decide"
    SHOPS = "shops"
    WORK = "work"
    ALERTS = "alerts"
    RISK = "risk"
    RULES = "rules"
    CATALOGUE = "catalogue"
    MODERATE = "moderate"
    SELLERS = "sellers"
    APPROVE = "approve"
    TOKENS = "tokens"
    AUDIT = "audit"
    RECORDS = "records"
    PRIVACY = "privacy"
    PAGES = "pages"
    REPORTS = "reports"
    BOOKS = "books"


# What it is, as it reads after "Only finance and admin may"; and which roles have it. Admin has every one.
WORDS: dict[Right, str] = {
    Right.LOOK: "look up orders, sellers and listings",
    Right.CASES: "read and answer cases",
    Right.ACT: "act as a seller",
    Right.CREDIT: "see credits and begin them, up to what one person may give alone",
    Right.DECIDE: (
        "decide about credits that were asked for and who bears a lost dispute, agree as the second person and repeat"
        " refused refunds"
    ),
    Right.SHOPS: "see connections and commands",
    Right.WORK: "pause and resume connections, send commands again, and see inbox and quarantine",
    Right.ALERTS: "see all alerts and settle those for staff",
    Right.RISK: "see the risk pages, clear held orders, label fraud, and change risk rules and lists",
    Right.RULES: "see the marketplace's rules and switch them",
    Right.CATALOGUE: "define the marketplace's attributes and categories",
    Right.MODERATE: "read reports of listings, take listings down, put them back and decide appeals",
    Right.SELLERS: "suspend a seller's sales and let them sell again, and set how much they may have",
    Right.APPROVE: "see what new sellers say of themselves, approve them and send them back",
    Right.TOKENS: "make and revoke API tokens of the marketplace",
    Right.AUDIT: "read the audit log and how long data is kept",
    Right.RECORDS: "read the raw records",
    Right.PRIVACY: "have a person's data copied for them and their account deleted, at their request",
    Right.PAGES: "write the marketplace's own pages (terms, privacy, contact), and set its name, colour and logo",
    Right.REPORTS: "read the marketplace's reports",
    Right.BOOKS: "export the marketplace's books",
}
GIVEN: dict[Role, frozenset[Right]] = {
    Role.SUPPORT: frozenset(
        {
            Right.LOOK,
            Right.CASES,
            Right.ACT,
            Right.CREDIT,
            Right.SHOPS,
            Right.ALERTS,
            Right.PRIVACY,
            Right.MODERATE,
            Right.SELLERS,
        }
    ),
    Role.RISK: frozenset({Right.LOOK, Right.RISK, Right.MODERATE, Right.SELLERS, Right.APPROVE}),
    Role.FINANCE: frozenset({Right.LOOK, Right.CASES, Right.CREDIT, Right.DECIDE, Right.REPORTS, Right.BOOKS}),
    Role.OPERATIONS: frozenset(
        {Right.LOOK, Right.SHOPS, Right.WORK, Right.ALERTS, Right.CATALOGUE, Right.REPORTS, Right.PAGES}
    ),
    Role.ADMIN: frozenset(Right),
}


def roles_with(right: Right) -> tuple[Role, ...]:
    return tuple(role for role in Role if right in GIVEN[role])
