"""How much of single listings is sold here: one listing's own limits, or those of many after a look at how many."""

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.finding.words import folded
from crossdock.store.models import Connection, Listing, Seller
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.stock.limits import MOST_BUFFER, MOST_LISTINGS, Limits, set_limits
from crossdock.usecases.stock.queries import first_stock_of
from crossdock.web.forms import WholeNumber, typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show


class LimitsForm(forms.Form):
    """An empty number follows the shop's.

    `listing` is set for one listing; otherwise a shop and words of the title choose.
    """

    listing = forms.CharField(required=False, max_length=14, widget=forms.HiddenInput)
    shop = forms.ChoiceField(label="Listings of", required=False)
    q = forms.CharField(label="With these words in title or SKU", required=False, max_length=100)
    buffer = WholeNumber(label="Units kept back", required=False, min_value=0, max_value=MOST_BUFFER)
    floor = WholeNumber(
        label="Floor",
        required=False,
        min_value=0,
        max_value=MOST_BUFFER,
        help_text="With fewer than this in the shop, nothing of it is for sale here.",
    )
    most = WholeNumber(label="At most shown", required=False, min_value=1, max_value=MOST_BUFFER)

    def __init__(self, data: QueryDict | None = None, *, seller: Seller, **kwargs: object) -> None:
        super().__init__(data, **kwargs)  # type: ignore[arg-type]
        shops = theirs(Connection, seller).exclude(state=ConnectionState.DISCONNECTED).order_by("pk")
        field = self.fields["shop"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "All my shops"), *((shop.public_id, shop.name) for shop in shops)]

    def limits(self) -> Limits:
        data = self.cleaned_data
        return Limits(data["buffer"], data["floor"], data["most"])


def _chosen(seller: Seller, form: LimitsForm) -> QuerySet[Listing]:
    data = form.cleaned_data
    found = theirs(Listing, seller).filter(connection__isnull=False).exclude(state=ListingState.ARCHIVED)
    if data["listing"]:
        return found.filter(public_id=data["listing"])
    if data["shop"]:
        found = found.filter(connection__public_id=data["shop"])
    for word in folded(data["q"]).split()[:8]:
        found = found.filter(search__contains=word)
    return found.select_related("seller").order_by("pk")


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    name = typed(request.GET, "listing", longest=14)
    one = theirs(Listing, seller).filter(public_id=name).first() if name else None
    row = first_stock_of(one) if one else None
    initial = {"listing": name, "shop": typed(request.GET, "shop", longest=14)}
    if row is not None:
        initial |= {"buffer": row.buffer, "floor": row.floor, "most": row.most_shown}  # type: ignore[dict-item]
    form = LimitsForm(request.POST or None, seller=seller, initial=initial)
    listings: list[Listing] | None = None
    if request.method == "POST" and form.is_valid():
        listings = list(_chosen(seller, form)[: MOST_LISTINGS + 1])
        if listings and (one is not None or request.POST.get("sure") == str(len(listings))):
            try:
                done = set_limits(listings=listings, limits=form.limits(), actor=signed_in(request), now=timezone.now())
            except Problem as problem:
                form.add_error(None, str(problem))
            else:
                messages.success(request, f"The limits of {done} listing{'s' if done != 1 else ''} are set.")
                return redirect("seller_listing", one.public_id) if one else redirect("seller_listings")
    context = {"form": form, "one": one, "chosen": listings, "most": MOST_LISTINGS}
    return show(request, seller, "limits", context, here="listings", status=422 if form.errors else 200)
