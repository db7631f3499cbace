"""What every page knows: the site's name, who is looking, how full the cart is.

Database questions are asked only when a template does.
"""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from crossdock.store.models import Seller
from crossdock.usecases.accounts.queries import seller_of
from crossdock.usecases.record.brand import brand, site_name
from crossdock.usecases.record.pages import links
from crossdock.web.acting import acting_of
from crossdock.web.languages.choosing import offered
from crossdock.web.signin.factor import passkeys_work
from crossdock.web.signin.identity.proved import name_there

CART = "cart"


def _seller(request: HttpRequest) -> Seller | None:
    user = getattr(request, "user", None)
    return seller_of(user)


def site(request: HttpRequest) -> dict[str, object]:
    """`my_seller` is the seller account of who is signed in, or None.

    `acting` says as which seller a member of staff acts.
    """
    session = getattr(request, "session", None)
    cart = session.get(CART) if session is not None else None
    return {
        "site_name": site_name,
        "brand": brand,
        "languages": offered(request),
        "demo": settings.DEMO,
        "site_pages": links,
        "withdraws": settings.CONFIG.withdrawal_days > 0,
        "staff_second_factor": settings.STAFF_SECOND_FACTOR,
        "cart_units": sum(cart["lines"].values()) + sum(cart.get("agreed", {}).values()) if cart else 0,
        "my_seller": SimpleLazyObject(lambda: _seller(request)),
        "acting": acting_of(request),
        "identity_name": name_there(),
        "passkeys_work": SimpleLazyObject(lambda: passkeys_work(request)),
    }
