"""What a seller types for a label: the parcel in their own units, the units that go into it, and, where rule S2 is
lifted, insurance and customs.
"""

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django import forms

from crossdock.domain.labels import Can, CustomsItem, Parcel, why_not_parcel
from crossdock.domain.values import COUNTRIES, Money
from crossdock.store.models import Order, OrderLine
from crossdock.web.forms import MoneyField, TypedDecimal, country_choices, money_of

GRAMS = {"oz": Decimal("28.349523125"), "lb": Decimal("453.59237"), "g": Decimal(1), "kg": Decimal(1000)}
MILLIMETRES = {"in": Decimal("25.4"), "cm": Decimal(10)}
_WEIGHTS = [("oz", "oz"), ("lb", "lb"), ("g", "g"), ("kg", "kg")]
_SIZES = [("in", "inches"), ("cm", "cm")]
# A shoebox is rare; most parcels of cards are a padded envelope.
FIRST = {"weight": "4", "weight_unit": "oz", "length": "9", "width": "6", "height": "1", "size_unit": "in"}


def _measure(label: str) -> forms.DecimalField:
    return TypedDecimal(label=label, min_value=Decimal("0.01"), max_digits=7, decimal_places=2)


class ParcelForm(forms.Form):
    """How large a parcel is and what it weighs."""

    weight = _measure("Weight")
    weight_unit = forms.ChoiceField(label="Unit", choices=_WEIGHTS)
    length = _measure("Length")
    width = _measure("Width")
    height = _measure("Height")
    size_unit = forms.ChoiceField(label="Unit", choices=_SIZES)

    def parcel(self) -> Parcel:
        """Rounded up: a carrier weighs again."""
        data = self.cleaned_data
        one = MILLIMETRES[data["size_unit"]]
        sides = [_up(data[name] * one) for name in ("length", "width", "height")]
        return Parcel(self.grams(data["weight"]), *sides)

    def grams(self, weight: Decimal | None) -> int:
        """In the chosen unit; 0 where none was typed."""
        return _up((weight or Decimal(0)) * GRAMS[self.cleaned_data["weight_unit"]])

    def remembered(self) -> dict[str, str]:
        """For the seller's next parcel, which is mostly alike."""
        return {name: str(self.cleaned_data[name] or "") for name in FIRST}


class ParcelsForm(ParcelForm):
    """One size for the parcels of many orders, and a weight for those that have none of their own."""

    weight = TypedDecimal(
        label="Weight of each", min_value=Decimal("0.01"), max_digits=7, decimal_places=2, required=False
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        # What is missing is said per order.
        if not self.errors and (why := why_not_parcel(replace(self.parcel(), grams=self.parcel().grams or 1))):
            raise forms.ValidationError(why)
        return data


class LabelForm(ParcelForm):
    """`insured` and the customs fields exist only where they can be used."""

    def __init__(
        self, *args: Any, order: Order, left: dict[int, int], insures: Can | None, made_in: str = "", **options: Any
    ) -> None:
        """`made_in` is the likely country of origin where a customs form is needed; empty where none is."""
        super().__init__(*args, **options)
        self.insures, self.abroad = insures, bool(made_in)
        self.lines = [(line, left[line.pk]) for line in order.lines.all() if left.get(line.pk)]
        for line, units in self.lines:
            self.fields[f"line_{line.pk}"] = forms.IntegerField(
                label=f"Units of {line.title}", min_value=0, max_value=units, initial=units, required=False
            )
            if self.abroad:
                self._customs_fields(order, line, made_in)
        if insures:
            self.fields["insured"] = MoneyField(
                label=f"Insure for ({insures.currency})",
                required=False,
                help_text=f"Leave it empty for none; up to {insures.insures_up_to} {insures.currency}.",
            )

    def _customs_fields(self, order: Order, line: OrderLine, made_in: str) -> None:
        self.fields[f"what_{line.pk}"] = forms.CharField(label="What it is", max_length=100, initial=line.title[:100])
        self.fields[f"value_{line.pk}"] = MoneyField(
            label=f"Worth of one ({order.currency})", initial=Money(line.unit_price_minor, order.currency).decimal
        )
        self.fields[f"from_{line.pk}"] = forms.ChoiceField(
            label="Made in", choices=country_choices(COUNTRIES), initial=made_in
        )
        self.fields[f"hs_{line.pk}"] = forms.CharField(
            label="HS code", max_length=12, required=False, help_text="The tariff number, if you know it."
        )

    def rows(self) -> list[tuple[OrderLine, int, forms.BoundField]]:
        return [(line, left, self[f"line_{line.pk}"]) for line, left in self.lines]

    def customs_rows(self) -> list[tuple[OrderLine, list[forms.BoundField]]]:
        if not self.abroad:
            return []
        return [
            (line, [self[f"{name}_{line.pk}"] for name in ("what", "value", "from", "hs")]) for line, _ in self.lines
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and (why := why_not_parcel(self.parcel())):
            raise forms.ValidationError(why)
        for name, currency in self._amounts():
            try:
                if data.get(name) is not None:
                    money_of(data[name], currency)
            except forms.ValidationError as wrong:
                self.add_error(name, wrong)
        return data

    def _amounts(self) -> list[tuple[str, str]]:
        found = [("insured", self.insures.currency)] if self.insures else []
        return found + [(f"value_{line.pk}", line.order.currency) for line, _ in self.lines if self.abroad]

    def units(self) -> dict[int, int]:
        return {line.pk: self.cleaned_data.get(f"line_{line.pk}") or 0 for line, _ in self.lines}

    def to_insure(self) -> Money | None:
        amount = self.cleaned_data.get("insured")
        return money_of(amount, self.insures.currency) if amount and self.insures else None

    def customs(self) -> tuple[CustomsItem, ...]:
        if not self.abroad:
            return ()
        data, units = self.cleaned_data, self.units()
        return tuple(
            CustomsItem(
                data[f"what_{line.pk}"],
                units[line.pk],
                money_of(data[f"value_{line.pk}"], line.order.currency),
                data[f"from_{line.pk}"],
                data[f"hs_{line.pk}"].replace(".", "").replace(" ", ""),
            )
            for line, _ in self.lines
            if units[line.pk]
        )


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
