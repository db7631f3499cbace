"""Rows as they are, for looking only; what is ciphertext or a hash stays out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import BinaryField, CharField, IntegerField, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.record.rights import holds

if TYPE_CHECKING:
    # Generic for the type checker alone.
    class _Paginator(Paginator[Any]): ...

    class _ModelAdmin(admin.ModelAdmin[Any]): ...
else:
    _Paginator, _ModelAdmin = Paginator, admin.ModelAdmin
# Never on a page, whatever model they are in.
HIDDEN = frozenset({"secrets", "keep", "hash", "state_hash", "password", "body"})


# No page counts or looks back further than this many rows.
_MOST_COUNTED = 5_000
_MOST_RELATED = 500


class _Counted(_Paginator):
    """The first pages; what lies behind them is found by searching."""

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return len(rows.order_by("-pk").values_list("pk", flat=True)[:_MOST_COUNTED])


class _Lately(admin.AllValuesFieldListFilter):
    """The values that the newest rows have. All rows would be read for those of all."""

    def __init__(self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        newest = model_admin.get_queryset(request).order_by("-pk").values_list(field.name, flat=True)[:_MOST_COUNTED]
        self.lookup_choices = sorted(set(newest))  # type: ignore[assignment]


def _exactly(model: type[Model], path: str, text: str) -> Q:
    """Rows that have this text there; of a related row, those rows are asked for first."""
    relation, _, name = path.rpartition("__")
    owner = cast(type[Model], model._meta.get_field(relation).related_model) if relation else model
    field = owner._meta.get_field(name)
    if isinstance(field, IntegerField):
        same = Q(**{name: int(text)}) if text.isdecimal() and len(text) < 18 else Q(pk__in=[])
    else:
        same = Q(**{f"{name}__in": [text, text.upper(), text.lower()]})
    if not relation:
        return same
    related = owner._default_manager.filter(same).values_list("pk", flat=True)[:_MOST_RELATED]
    return Q(**{f"{relation}__in": list(related)})


def may_read(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and holds(request.user, Right.RECORDS)


class ReadOnly(_ModelAdmin):
    """Nobody adds, changes or deletes here: each change has a use-case of its own, and books are never edited."""

    # Each of these keeps a page of the largest table from reading all of it.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = _Counted
    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    actions: Sequence[Any] = ()
    # The search looks for exactly what was typed in each of search_fields, each a question that an index answers.
    by_index = False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        texts = (field for field in self.opts.concrete_fields if isinstance(field, CharField))
        plain = {field.name for field in texts if not field.choices}
        return [(name, _Lately) if name in plain else name for name in super().get_list_filter(request)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip().lstrip("#")
        if not (self.by_index and text):
            return super().get_search_results(request, queryset, search_term)
        where = Q(pk__in=[])
        for path in self.get_search_fields(request):
            where |= _exactly(self.model, path, text)
        return queryset.filter(where), False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_read(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may read raw records looks at all; nothing here is more secret than the rest."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return [
            field.name
            for field in self.opts.concrete_fields
            if field.name not in HIDDEN and not isinstance(field, BinaryField)
        ]
