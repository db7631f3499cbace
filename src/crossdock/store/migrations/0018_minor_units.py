"""Amounts that were kept with a locale's decimals get those of ISO 4217: 151 of a dinar without para become 15,100 para.

What a price lost by rounding comes back with the shop's next news. The books are append-only, also for us: their guard
is off for the one statement that writes the same amounts in smaller units, all of a currency by the same factor, so
every transfer still balances. A checkout that is open meanwhile has expired long before anyone pays in these currencies.
"""

from django.db import migrations

# What Babel 2.18 and older said, against what ISO 4217 says: no decimals where there are two, or three.
HUNDREDFOLD = "AFN ALL IRR KPW LAK LBP MGA MMK MRO RSD SLL SOS STD SYP YER ZMK"
THOUSANDFOLD = "IQD"
OWN = {
    "shippingrate": ["price_minor"],
    "listing": ["accept_from_minor", "decline_below_minor"],
    "order": ["items_minor", "shipping_minor", "total_minor", "credited_minor"],
    "shoprefund": ["amount_minor"],
    "credit": ["amount_minor"],
    "label": ["price_minor", "insured_minor"],
    "paymentintent": ["amount_minor"],
    "entry": ["amount_minor"],
    "offer": ["amount_minor", "asking_minor"],
    "risktrace": ["amount_minor"],
}
PARENTS = {
    "variant": ("price_minor", "listing"),
    "orderline": ("unit_price_minor", "order"),
    "offermove": ("amount_minor", "offer"),
}


def _in(codes: str) -> str:
    return ", ".join(f"'{code}'" for code in codes.split())


def _sql(sign: str) -> str:
    steps = ["ALTER TABLE store_entry DISABLE TRIGGER append_only"]
    for codes, factor in ((HUNDREDFOLD, 100), (THOUSANDFOLD, 1000)):
        for table, columns in OWN.items():
            changes = ", ".join(f"{column} = {column} {sign} {factor}" for column in columns)
            steps.append(f"UPDATE store_{table} SET {changes} WHERE currency IN ({_in(codes)})")
        for table, (column, parent) in PARENTS.items():
            steps.append(
                f"UPDATE store_{table} AS row SET {column} = row.{column} {sign} {factor} FROM store_{parent} AS up"
                f" WHERE up.id = row.{parent}_id AND up.currency IN ({_in(codes)})"
            )
        steps.append(
            "UPDATE store_command SET payload = jsonb_set(payload, '{amount_minor}',"
            f" to_jsonb((payload->>'amount_minor')::bigint {sign} {factor}))"
            f" WHERE payload ? 'amount_minor' AND payload->>'currency' IN ({_in(codes)})"
        )
    steps.append("ALTER TABLE store_entry ENABLE TRIGGER append_only")
    return ";\n".join(steps) + ";"


class Migration(migrations.Migration):
    dependencies = [("store", "0017_came_back")]
    operations = [migrations.RunSQL(_sql("*"), _sql("/"))]
