"""What agents began for a person, and what they were answered about them, where somebody leaves."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from crossdock.store.models import AgentSession, IdempotentReply
from crossdock.usecases.privacy.whose import Whose


def agent_sessions(whose: Whose) -> QuerySet[Any]:
    """What agents began or bought for them, as far as it still says so."""
    theirs = Q(intent__buyer=whose.person) | Q(details__email__in=list(whose.addresses))
    return AgentSession.objects.filter(theirs)


def agents_replies(whose: Whose) -> QuerySet[Any]:
    about = Q(body__id__in=list(agent_sessions(whose).values_list("public_id", flat=True)))
    for address in whose.addresses:
        about |= Q(body__buyer__email__iexact=address) | Q(body__fulfillment_details__email__iexact=address)
    return IdempotentReply.objects.filter(about)


def others_sessions(whose: Whose) -> QuerySet[Any]:
    """Of another buyer, whose parcel was to go to this person's e-mail address."""
    named = Q(pk__in=[])
    for address in whose.addresses:
        named |= Q(details__fulfillment_details__email__iexact=address)
    return AgentSession.objects.filter(named)


def cut_parcels_email(session: AgentSession, whose: Whose) -> Sequence[str]:
    """The session goes on for its buyer."""
    del session.details["fulfillment_details"]["email"]
    return ["details"]
