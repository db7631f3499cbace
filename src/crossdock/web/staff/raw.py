"""Rows as they are, for looking only; what is ciphertext or a hash stays out."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import BinaryField, Model
from django.http import HttpRequest

# Never on a page, whatever model they are in.
HIDDEN = frozenset({"secrets", "keep", "hash", "state_hash", "password", "body"})


class ReadOnly(admin.ModelAdmin[Any]):
    """Nobody adds, changes or deletes here: each change has a use-case of its own, and books are never edited."""

    show_full_result_count = False
    list_per_page = 50
    actions: Sequence[Any] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """All staff look at everything; nothing here is more secret than the rest."""
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
