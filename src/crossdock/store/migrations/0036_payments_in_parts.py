"""Payments of before: the order names its payment, and the payment's basket its parts.

Rows are carried over by thousands, each thousand in a transaction of its own, so that nobody waits for a lock of all.
Run again after it was broken off, it goes on with the rows that are left.
"""

from typing import Any

from django.db import migrations, transaction

_MANY = 5000
_TO_ORDER = """
UPDATE store_order o SET intent_id = p.id FROM store_paymentintent p
WHERE p.id BETWEEN %s AND %s AND p.order_id = o.id AND o.intent_id IS NULL
"""
_TO_PARTS = """
UPDATE store_paymentintent SET basket = (basket - '{connection,items_minor,shipping_minor,lines,offer}'::text[])
  || jsonb_build_object('parts', jsonb_build_array(jsonb_build_object(
    'seller', seller_id, 'connection', basket->'connection', 'items_minor', basket->'items_minor',
    'shipping_minor', basket->'shipping_minor', 'lines', basket->'lines', 'offers',
    CASE WHEN coalesce(basket->>'offer', '') = '' THEN '[]'::jsonb ELSE jsonb_build_array(basket->'offer') END)))
WHERE id BETWEEN %s AND %s AND NOT jsonb_exists(basket, 'parts') AND jsonb_exists(basket, 'lines')
"""
_FROM_ORDER = """
UPDATE store_paymentintent p SET order_id = o.id, seller_id = o.seller_id FROM store_order o
WHERE p.id BETWEEN %s AND %s AND o.intent_id = p.id
"""
_FROM_PARTS = """
UPDATE store_paymentintent SET seller_id = coalesce(seller_id, (basket->'parts'->0->>'seller')::bigint),
  basket = (basket - 'parts') || ((basket->'parts'->0) - '{seller,offers}'::text[])
    || jsonb_build_object('offer', coalesce(basket->'parts'->0->'offers'->>0, ''))
WHERE id BETWEEN %s AND %s AND jsonb_exists(basket, 'parts')
"""


def _by_thousands(editor: Any, *statements: str) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM store_paymentintent")
        first, last = cursor.fetchone()
        for start in range(first, last + 1, _MANY):
            with transaction.atomic(using=editor.connection.alias):
                for statement in statements:
                    cursor.execute(statement, [start, start + _MANY - 1])


def _carry_over(apps: Any, editor: Any) -> None:
    _by_thousands(editor, _TO_ORDER, _TO_PARTS)


def _take_back(apps: Any, editor: Any) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM store_paymentintent WHERE jsonb_array_length(coalesce(basket->'parts', '[]')) > 1"
            " OR jsonb_array_length(coalesce(basket->'parts'->0->'offers', '[]')) > 1"
        )
        (many,) = cursor.fetchone()
    if many:
        raise RuntimeError(f"{many} payments have several parts or offers, which an earlier version cannot keep.")
    _by_thousands(editor, _FROM_ORDER, _FROM_PARTS)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0035_one_payment_several_orders")]
    operations = [migrations.RunPython(_carry_over, _take_back)]
