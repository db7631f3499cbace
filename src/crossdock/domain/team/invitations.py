"""Asking somebody into a seller's team by mail: how long it holds, and how many there may be."""

from datetime import datetime, timedelta
from enum import StrEnum

LASTS = timedelta(days=7)
# Of one seller: people, invitations that nobody has taken yet, and letters in one day.
MOST_MEMBERS = 50
MOST_OPEN = 20
MOST_LETTERS = 40
LETTERS_WITHIN = timedelta(days=1)
# Nobody's mailbox is filled: letters of one invitation, and of one seller to one address in one day.
MOST_SENT = 5


class InvitationState(StrEnum):
    """Where an invitation stands."""

    OPEN = "open"
    ENDED = "ended"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


def state_of(
    *, expires_at: datetime, accepted_at: datetime | None, withdrawn_at: datetime | None, now: datetime
) -> InvitationState:
    if accepted_at is not None:
        return InvitationState.ACCEPTED
    if withdrawn_at is not None:
        return InvitationState.WITHDRAWN
    return InvitationState.OPEN if now < expires_at else InvitationState.ENDED
