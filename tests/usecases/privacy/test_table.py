"""No column that can say something of a person is forgotten: all models are walked."""

from collections.abc import Iterator

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from crossdock.domain.privacy.table import PERSONAL, PLAIN, Then
from crossdock.domain.retention import POLICY
from crossdock.store.models import User

TEXTS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    ArrayField,
)
# Codes that are the same in every table.
CODES = {"currency", "public_id"}


def columns(model: type[models.Model]) -> Iterator[str]:
    """Those that can hold words, bytes or an account; a choice of ours and a link to a row are none."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey):
            if field.related_model is User:
                yield field.name
        elif isinstance(field, TEXTS) and not field.choices and field.name not in CODES:
            yield field.name


def unsaid(tables: dict[str, set[str]]) -> list[str]:
    """Columns that the table lacks, or says twice."""
    said: dict[str, list[str]] = {}
    for one in PERSONAL:
        said.setdefault(one.table, []).extend(one.columns)
    for table, names in PLAIN.items():
        said.setdefault(table, []).extend(names.split())
    return sorted(
        f"{table}.{name}" for table, names in tables.items() for name in names if said.get(table, []).count(name) != 1
    )


OWNERS = {"store.Seller": {"owner"}}


def every() -> dict[str, set[str]]:
    models_of = apps.get_models(include_auto_created=True)
    return {model._meta.label: set(columns(model)) - OWNERS.get(model._meta.label, set()) for model in models_of}


def test_every_column_is_said_once() -> None:
    assert unsaid(every()) == []


def test_no_column_is_said_that_is_not_there() -> None:
    there = {table: {*names} for table, names in every().items()}
    for table, names in [*((one.table, one.columns) for one in PERSONAL), *((k, v.split()) for k, v in PLAIN.items())]:
        assert set(names) <= there[table], table


def test_a_new_column_without_an_entry_is_missed() -> None:
    tables = every()
    tables["store.Order"].add("gift_note")
    tables["store.Wish"] = {"words"}
    assert unsaid(tables) == ["store.Order.gift_note", "store.Wish.words"]


def test_what_stays_or_is_cut_says_why() -> None:
    labels = {rule.table for rule in POLICY}
    assert len({one.table for one in PERSONAL}) == len(PERSONAL)
    for one in PERSONAL:
        assert one.table in labels and one.what, one.table
        assert one.then is Then.GOES or one.why.endswith("."), one.table
