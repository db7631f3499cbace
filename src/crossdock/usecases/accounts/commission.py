"""What the marketplace keeps of a seller's orders. An order keeps the share that it was paid with."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction

from crossdock.domain.earnings.commission import in_percent
from crossdock.domain.roles import Right
from crossdock.store.models import AuditTopic, Seller, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

MOST = 5_000


def set_commission(*, seller: Seller, basis_points: int, actor: User, now: datetime) -> str:
    """In words what it was before. The same again changes nothing. Raises NotAllowed, Invalid."""
    require(actor, None, "Only staff set what the marketplace keeps.", Right.RULES)
    if not 0 <= basis_points <= MOST:
        raise Invalid(f"The commission is from 0 to {in_percent(MOST)}.")
    with transaction.atomic():
        row = Seller.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
        before = row.fee_basis_points
        if before != basis_points:
            row.fee_basis_points = basis_points
            row.save(update_fields=["fee_basis_points"])
            detail = {"seller": row.public_id, "was": in_percent(before), "is": in_percent(basis_points)}
            note(actor=actor, action="commission", subject=row.name, now=now, detail=detail, topic=AuditTopic.SETTINGS)
    return in_percent(before)


def basis_points(text: str) -> int:
    """Of what a person typed, as 8 or 7.25. Raises Invalid."""
    try:
        points = Decimal(text.strip().removesuffix("%").strip()) * 100
    except InvalidOperation:
        points = Decimal("NaN")
    if not points.is_finite() or points != points.to_integral_value():
        raise Invalid(f"{text} is no commission. Type per cent with at most two decimals, as 7.25.")
    return int(points)
