"""The label provider with the operator's keys, as pages and the API ask it: prices while a person waits, and what is
printed.
"""

from django.conf import settings

from crossdock.domain.labels import Form, Quote, Wanted
from crossdock.kit.ask import ask_sync
from crossdock.kit.carrier import Carrier
from crossdock.kit.carriers import open_carrier
from crossdock.kit.errors import Missing
from crossdock.store.models import Label
from crossdock.usecases.labels import carrier_news

# A provider asks each of its carriers for a price before it answers.
PRICES_WITHIN = 10.0
PRINT_WITHIN = 8.0
MEDIA = {Form.PDF: "application/pdf", Form.PNG: "image/png", Form.ZPL: "text/plain; charset=utf-8"}


def chosen_carrier() -> Carrier:
    """The operator's choice: new labels are bought through it."""
    return carrier_named(settings.CARRIER)


def carrier_named(name: str) -> Carrier:
    """Raises NoSuchFolder."""
    return open_carrier(name, settings.CONFIG.data, settings.CARRIER_KEYS.get(name, {}).items())


def prices(wanted: Wanted) -> tuple[Quote, ...]:
    """Cheapest first; costs nothing. Raises kit.errors.Outside with a sentence for the seller."""
    carrier = chosen_carrier()
    return ask_sync(lambda _: carrier.quote(wanted), within=PRICES_WITHIN)


def document(label: Label, form: Form) -> bytes:
    """What is printed: as it was kept, otherwise asked for once and kept then. Raises kit.errors.Outside."""
    kept = carrier_news.document_of(label=label, form=form)
    if kept is not None:
        return kept
    if not label.carrier_ref:
        raise Missing("There is no label yet.")
    carrier = carrier_named(label.provider)
    if form not in carrier.can.forms:
        raise Missing(f"{carrier.label} prints no {form.value.upper()}.")
    content = ask_sync(lambda _: carrier.document(label.carrier_ref, form), within=PRINT_WITHIN)
    carrier_news.keep_document(label=label, form=form, content=content)
    return content
