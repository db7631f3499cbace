"""What a case is about, and whose turn it is."""

from enum import StrEnum


class CaseKind(StrEnum):
    PROBLEM = "problem"
    CREDIT = "credit"
    SHOP_REFUND = "shop_refund"
    RISK = "risk"
    PRIVACY = "privacy"


class CaseState(StrEnum):
    OPEN = "open"
    WAITING_FOR_SELLER = "waiting_for_seller"
    WAITING_FOR_STAFF = "waiting_for_staff"
    CLOSED = "closed"


KIND_WORDS: dict[CaseKind, str] = {
    CaseKind.PROBLEM: "Problem",
    CaseKind.CREDIT: "Credit asked for",
    CaseKind.SHOP_REFUND: "Refund made in the shop",
    CaseKind.RISK: "Question about an order's risk",
    CaseKind.PRIVACY: "Privacy",
}


def after_message(*, by_staff: bool) -> CaseState:
    """Whose turn it is once somebody wrote. Writing to a closed case opens it again."""
    return CaseState.WAITING_FOR_SELLER if by_staff else CaseState.WAITING_FOR_STAFF
