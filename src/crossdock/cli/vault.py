"""`crossdock rotate-vault-key`: a new key for the shops' credentials and the second factors.

Every secret is written again under it; the old key still opens old backups.
"""

import argparse
import os
from datetime import UTC, datetime

from cryptography.fernet import Fernet

from crossdock.cli import database
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load

# Every sealed column: (model of the store, field). A test compares this with the models.
SEALED: tuple[tuple[str, str], ...] = (
    ("Connection", "secrets"),
    ("ConnectAttempt", "keep"),
    ("ConnectAttempt", "secrets"),
    ("Endpoint", "secrets"),
    ("SellerDetails", "sealed"),
    ("SellerDetails", "document"),
)
# What of a second factor is sealed, each beside what is not.
FACTORS = ("secret", "seed")


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="print a fresh key for VAULT_KEYS and do nothing else"
    )
    parser.add_argument(
        "--forget",
        action="store_true",
        help="drop the old keys afterwards: backups from before cannot be opened any more",
    )


def run(args: argparse.Namespace) -> int:
    if args.only_print:
        print(Fernet.generate_key().decode())
        return 0
    config = load()
    database.ready()
    if config.vault_keys_given:
        if args.forget:
            raise Trouble(
                "The keys are in the setting VAULT_KEYS; remove the old ones there, after this command has run without"
                " --forget."
            )
        print(f"{_reseal(list(config.vault_keys))} secrets are encrypted with the first of VAULT_KEYS now.")
        return 0
    _nobody_else()
    keys = [Fernet.generate_key().decode(), *config.vault_keys]
    # The key is on the disk before the first secret needs it.
    _write(config, keys)
    done = _reseal(keys)
    if args.forget:
        _write(config, keys[:1])
    print(
        f"{done} secrets are encrypted with the new key now. Keep a copy of {config.vault_keys_file} in another safe"
        " place."
    )
    return 0


def _nobody_else() -> None:
    """A running server knows only the old keys, and would take every shop for locked."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND"
            " backend_type = 'client backend'"
        )
        others = cursor.fetchone()[0]
    if others:
        raise Trouble("Web servers or workers are running and know only the old key; stop them first.")


def _reseal(keys: list[str]) -> int:
    from django.apps import apps
    from django.conf import settings
    from django.db import transaction

    from crossdock.store.models.audit import AuditTopic
    from crossdock.store.vault import VaultLocked, reseal
    from crossdock.usecases.record.audit import note

    settings.VAULT_KEYS = keys
    done = 0
    with transaction.atomic():
        now = datetime.now(UTC)
        note(actor=None, action="vault key rotated", subject="secrets at rest", now=now, topic=AuditTopic.SYSTEM)
        for model, field in SEALED:
            manager = apps.get_model("store", model)._default_manager
            for row in manager.exclude(**{field: None}).select_for_update().only("pk", field):
                try:
                    sealed = reseal(getattr(row, field))
                except VaultLocked as locked:
                    raise Trouble(
                        f"A secret of {model} {row.pk} cannot be opened, so nothing was changed: {locked}"
                    ) from None
                manager.filter(pk=row.pk).update(**{field: sealed})
                done += 1
        done += _reseal_factors()
    return done


def _reseal_factors() -> int:
    from allauth.mfa.models import Authenticator

    from crossdock.store.vault import VaultLocked, reseal

    rows = [row for row in Authenticator.objects.select_for_update() if any(name in row.data for name in FACTORS)]
    for row in rows:
        try:
            row.data |= {name: reseal(row.data[name].encode()).decode() for name in FACTORS if name in row.data}
        except VaultLocked:
            raise Trouble(
                f"The second factor of {row.user} cannot be opened, so nothing was changed; `crossdock staff"
                f" {row.user.email} --remove-second-factor` removes it."
            ) from None
        row.save(update_fields=["data"])
    return len(rows)


def _write(config: Config, keys: list[str]) -> None:
    draft = config.vault_keys_file.with_name("vault.keys.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(config.vault_keys_file)
