"""Who is staff. Decided on the server's own command line, never on a page: a stolen session cannot make another one."""

from datetime import datetime

from django.db import transaction

from crossdock.store.models import User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note


def set_staff(*, email: str, staff: bool, now: datetime) -> bool:
    """False when it was so already. Raises Invalid when nobody signs in with this address."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(email__iexact=email.strip()).first()
        if user is None:
            raise Invalid(f"Nobody signs in as {email.strip()}. They sign up on the site first.")
        if user.is_staff == staff:
            return False
        user.is_staff = staff
        user.save(update_fields=["is_staff"])
        note(actor=None, action="made staff" if staff else "no staff any more", subject=user.email, now=now)
    return True
