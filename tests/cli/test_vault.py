"""The vault's key changes while others work: what they take away meanwhile stops no rotation."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from crossdock.cli import vault
from crossdock.store import vault as store_vault
from crossdock.store.models import ConnectAttempt
from market import seller, user

pytestmark = pytest.mark.django_db


def attempt(key: str, number: int) -> ConnectAttempt:
    keep = Fernet(key).encrypt(json.dumps({"token": str(number)}).encode())
    return ConnectAttempt.objects.create(
        seller=seller(),
        user=user(),
        platform="toy",
        way="form",
        address="",
        state_hash=f"{number:064}",
        keep=keep,
        secrets=keep,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )


def test_what_goes_meanwhile_is_passed_over(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.VAULT_KEYS = [old]
    first, gone, emptied = (attempt(old, number) for number in range(3))
    reseal, going = store_vault.reseal, list[str]()

    def meanwhile(sealed: bytes) -> bytes:
        ConnectAttempt.objects.filter(pk=gone.pk).delete()
        if "secrets" in going:
            ConnectAttempt.objects.filter(pk=emptied.pk).update(secrets=None)
        return reseal(sealed)

    monkeypatch.setattr(store_vault, "reseal", meanwhile)
    settings.VAULT_KEYS, done, lost = [new, old], list[int](), list[str]()
    for field in ("keep", "secrets"):
        going.append(field)
        done.append(vault._reseal_column("ConnectAttempt", field, lost))
    assert done == [2, 1] and lost == []
    settings.VAULT_KEYS = [new]
    assert store_vault.unseal(ConnectAttempt.objects.get(pk=first.pk).keep) == {"token": "0"}
