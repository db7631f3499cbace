"""The shipping address: checked as far as a parcel's way depends on it, and no further, since the world's addresses
differ.
"""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crossdock.domain.places import REGIONS, US_TERRITORIES, why_not_region
from crossdock.web.forms import country_choices

# What a postal code looks like, where shops and carriers refuse anything else.
_POSTAL = {
    "US": (r"\d{5}(-\d{4})?", "5 digits, such as 97201"),
    "CA": (r"[A-Z]\d[A-Z] ?\d[A-Z]\d", "letters and digits, such as K1A 0B1"),
    "GB": (r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", "letters and digits, such as SW1A 1AA"),
    "DE": (r"\d{5}", "5 digits, such as 10115"),
    "FR": (r"\d{5}", "5 digits, such as 75001"),
    "IT": (r"\d{5}", "5 digits, such as 00184"),
    "ES": (r"\d{5}", "5 digits, such as 28013"),
    "AT": (r"\d{4}", "4 digits, such as 1010"),
    "CH": (r"\d{4}", "4 digits, such as 8001"),
    "AU": (r"\d{4}", "4 digits, such as 2000"),
    "JP": (r"\d{3}-?\d{4}", "7 digits, such as 100-0001"),
    "NL": (r"\d{4} ?[A-Z]{2}", "4 digits and 2 letters, such as 1012 AB"),
}


class AddressForm(forms.Form):
    """Its fields are those of domain.values.Address. `countries` are the seller's destinations."""

    name = forms.CharField(label=_("Full name"), max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    company = forms.CharField(
        label=_("Company"), max_length=100, required=False, widget=forms.TextInput({"autocomplete": "organization"})
    )
    line1 = forms.CharField(
        label=_("Street and number"), max_length=120, widget=forms.TextInput({"autocomplete": "address-line1"})
    )
    line2 = forms.CharField(
        label=_("Flat, floor, building"),
        max_length=120,
        required=False,
        widget=forms.TextInput({"autocomplete": "address-line2"}),
    )
    postal_code = forms.CharField(
        label=_("Postal code"), max_length=12, required=False, widget=forms.TextInput({"autocomplete": "postal-code"})
    )
    city = forms.CharField(label=_("City"), max_length=80, widget=forms.TextInput({"autocomplete": "address-level2"}))
    region = forms.CharField(
        label=_("State or province"),
        max_length=40,
        required=False,
        widget=forms.TextInput({"autocomplete": "address-level1"}),
        help_text=_("In the United States, Canada and Australia its short code, such as OR."),
    )
    country = forms.ChoiceField(label=_("Country"), widget=forms.Select({"autocomplete": "country"}))
    phone = forms.RegexField(
        label=_("Phone"),
        regex=r"^\+?[\d ()./-]{5,25}$",
        required=False,
        widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("For the carrier only."),
        error_messages={"invalid": _("Type a phone number, such as +1 503 555 0100.")},
    )

    def __init__(self, *args: Any, countries: frozenset[str], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = country_choices(countries, territories=True)
        for name in ("postal_code", "region"):
            # Needed in some countries: then "(optional)" beside it would be wrong.
            self.fields[name].perhaps = True  # type: ignore[attr-defined]
        field = self.fields["country"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        field.error_messages["invalid_choice"] = _("The seller does not ship to this country.")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        country = data.get("country", "")
        if country in US_TERRITORIES:
            data["country"], data["region"], country = "US", country, "US"
        if country in _POSTAL and "postal_code" in data:
            pattern, words = _POSTAL[country]
            data["postal_code"] = data["postal_code"].upper()
            if not re.fullmatch(pattern, data["postal_code"]):
                self.add_error("postal_code", f"Type the postal code: {words}.")
        if country in REGIONS and "region" in data:
            data["region"] = data["region"].upper()
            if why := why_not_region(country, data["region"]):
                self.add_error("region", why)
        return data
