"""Deeds of staff that an operator does on the server, in somebody's name: that person needs the right to them, and the
audit log says that it was they.
"""

from typing import TYPE_CHECKING

from crossdock.cli.trouble import Trouble

if TYPE_CHECKING:
    from crossdock.store.models import Seller, User


def member_of_staff(email: str) -> "User":
    """Raises Trouble."""
    from crossdock.store.models import User
    from crossdock.usecases.record.rights import is_staff

    found = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if found is None or not is_staff(found):
        raise Trouble(f"{email.strip()} is not staff; `crossdock staff` lists who is.")
    return found


def seller_named(email: str) -> "Seller":
    """By the address that the owner signs in with. Raises Trouble."""
    from crossdock.store.models import Seller

    seller = Seller.objects.filter(owner__email__iexact=email.strip()).first()
    if seller is None:
        raise Trouble(f"No seller signs in as {email.strip()}.")
    return seller
