"""A buyer's saved searches."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.store.models import SavedSearch, Seller
from crossdock.usecases.catalogue.finding import Wanted
from crossdock.usecases.catalogue.saved import buyer_of_token, forget_search, save_search, set_mail, stop_mails
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import bought_by
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.storefront.filters import category_in_address, choices_in
from crossdock.web.storefront.finding import wanted_in

LONGEST = 1000


def wanted_at(address: str) -> tuple[str, Wanted]:
    """What a page with a grid shows, by its address on this site; with the address as it is kept, without a page's
    mark. Raises Http404.
    """
    path, _, query = address.partition("?")
    try:
        match = resolve(path)
        data = QueryDict(query, mutable=True)
    except (Resolver404, ValueError):
        raise Http404 from None
    data.pop("after", None)
    taxonomy = in_force()
    category = category_in_address(data, taxonomy)
    seller, name = None, "q"
    if match.url_name == "seller":
        seller, name = get_object_or_404(Seller, slug=match.kwargs["slug"]), "in"
    elif match.url_name == "category":
        category = category or str(match.kwargs["key"])
    elif match.url_name != "browse":
        raise Http404
    choices = choices_in(data, taxonomy, category if category in taxonomy.categories else "")
    wanted, _form = wanted_in(data, typed(data, name), seller=seller, choices=choices)
    kept = f"{path}?{data.urlencode()}" if data else path
    if len(kept) > LONGEST:
        raise Http404
    return kept, wanted


class SearchForm(forms.Form):
    name = forms.CharField(label=_("Call it"), max_length=100, help_text=_("Mails about it begin with this."))
    mail = forms.BooleanField(label=_("Mail me what is new, once a day at most"), required=False, initial=True)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def save(request: HttpRequest) -> HttpResponse:
    address = request.POST.get("from", "") or request.GET.get("from", "")
    if not address:
        return redirect("my_searches")
    kept, wanted = wanted_at(address[: LONGEST * 2])
    form = SearchForm(request.POST or None, initial={"name": wanted.words})
    if request.method == "POST" and form.is_valid():
        try:
            save_search(
                buyer=signed_in(request),
                name=form.cleaned_data["name"],
                address=kept,
                wanted=wanted,
                mail=form.cleaned_data["mail"],
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("Saved. You find it under “Saved searches” in your account."))
            return redirect(kept)
    context = {"form": form, "from": kept}
    return render(request, "storefront/search_save.html", context, status=422 if form.is_bound else 200)


@login_required
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    rows = bought_by(SavedSearch, signed_in(request)).order_by("-pk")
    return render(request, "storefront/searches.html", {"searches": rows})


@login_required
@require_POST
def change(request: HttpRequest, public_id: str) -> HttpResponse:
    """Mails on, off, or the search removed."""
    row = get_object_or_404(bought_by(SavedSearch, signed_in(request)), public_id=public_id)
    match typed(request.POST, "to"):
        case "remove":
            forget_search(search=row)
            messages.success(request, _("“{name}” is removed.").format(name=row.name))
        case "mail":
            set_mail(search=row, mail=True, now=timezone.now())
        case "quiet":
            set_mail(search=row, mail=False, now=timezone.now())
    return redirect("my_searches")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """From a mail, signed in or not. Looking at the link changes nothing: mail programs do that by themselves."""
    buyer = buyer_of_token(token)
    if buyer is None:
        raise Http404
    done = request.method == "POST"
    if done:
        stop_mails(buyer=buyer)
    return render(request, "storefront/search_stop.html", {"done": done})
