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
    ("SigningKey", "secret"),
    ("SellerDetails", "sealed"),
    ("SellerDetails", "document"),
)
# Of the secrets that no key opens.
_NAMED = 10
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

    parser.add_argument(
        "--leave-lost",
        action="store_true",
        help="secrets that no key opens stay as they are, instead of stopping all; each is counted",
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
        done, lost = _reseal(list(config.vault_keys), args.leave_lost)
        print(f"{done} secrets are encrypted with the first of VAULT_KEYS now.{_left(lost)}")
        return 0
    _nobody_else()
    keys = [Fernet.generate_key().decode(), *config.vault_keys]
    # The key is on the disk before the first secret needs it.
    _write(config, keys)
    done, lost = _reseal(keys, args.leave_lost)
    if args.forget:
        _write(config, keys[:1])
    print(
        f"{done} secrets are encrypted with the new key now. Keep a copy of {config.vault_keys_file} in another safe"
        f" place.{_left(lost)}"
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


def _left(lost: int) -> str:
    return f" {lost} that no key opens stayed as they are." if lost else ""


def _reseal(keys: list[str], leave_lost: bool) -> tuple[int, int]:
    """How many were written again, and how many no key opens. All or nothing. Raises Trouble."""
    from django.conf import settings
    from django.db import transaction

    from crossdock.store.models.audit import AuditTopic
    from crossdock.usecases.record.audit import note

    settings.VAULT_KEYS = keys
    done, lost = 0, list[str]()
    with transaction.atomic():
        now = datetime.now(UTC)
        note(actor=None, action="vault key rotated", subject="secrets at rest", now=now, topic=AuditTopic.SYSTEM)
        for model, field in SEALED:
            done += _reseal_column(model, field, lost)
        done += _reseal_factors(lost)
        if lost and not leave_lost:
            raise Trouble(
                f"No key opens {len(lost)} of the secrets, so nothing was changed: {', '.join(lost[:_NAMED])}"
                f"{' and others' if lost[_NAMED:] else ''}. Add the key that was used for them (a line of the key file,"
                " or VAULT_KEYS); if it is lost for good, `crossdock rotate-vault-key --leave-lost` leaves them as they"
                " are: these shops have to be reconnected, sellers type their details again, and `crossdock staff EMAIL"
                " --remove-second-factor` removes a second factor."
            )
    return done, len(lost)


def _reseal_column(model: str, field: str, lost: list[str]) -> int:
    """One row at a time: a picture has megabytes. What others took away meanwhile is done with."""
    from django.apps import apps

    from crossdock.store.vault import VaultLocked, reseal

    manager, done = apps.get_model("store", model)._default_manager, 0
    for pk in list(manager.exclude(**{field: None}).order_by("pk").values_list("pk", flat=True)):
        sealed = manager.select_for_update().filter(pk=pk).values_list(field, flat=True).first()
        if sealed is None:
            continue
        try:
            done += manager.filter(pk=pk).update(**{field: reseal(sealed)})
        except VaultLocked:
            lost.append(f"{field} of {model} {pk}")
    return done


def _reseal_factors(lost: list[str]) -> int:
    from allauth.mfa.models import Authenticator

    from crossdock.store.vault import VaultLocked, reseal

    done = 0
    for row in Authenticator.objects.select_for_update():
        sealed = {name: row.data[name] for name in FACTORS if name in row.data}
        try:
            fresh = {name: reseal(text.encode()).decode() for name, text in sealed.items()}
        except VaultLocked:
            lost.append(f"the second factor of {row.user}")
            continue
        if fresh:
            row.data |= fresh
            row.save(update_fields=["data"])
            done += 1
    return done


def _write(config: Config, keys: list[str]) -> None:
    draft = config.vault_keys_file.with_name("vault.keys.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(config.vault_keys_file)
