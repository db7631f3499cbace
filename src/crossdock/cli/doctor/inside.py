"""What can be seen on this machine and in the database."""

import stat
import time
from collections.abc import Iterable
from pathlib import Path

from crossdock.cli.doctor.finding import Finding, fix, look, ok
from crossdock.config import Config

# Seconds. Webhooks and one-time codes are refused when two clocks differ by minutes.
CLOCK_LOOK, CLOCK_FIX = 2.0, 30.0
# Of the connections that the server gives.
BUSY_SHARE = 0.8
# Rows of each sealed column, the newest first: a key that is lost concerns all of them alike.
MOST_SECRETS = 500
# What PostgreSQL must do for "stored" to mean stored, also when the power fails.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def settings(config: Config) -> Iterable[Finding]:
    """Settings that are good for trying it out and bad for a marketplace that the world can reach."""
    if not config.public_url:
        yield look(
            "settings",
            "PUBLIC_URL is not set: shops cannot send webhooks and are asked regularly instead.",
            "Set it to the address at which buyers and shops reach this marketplace.",
        )
        return
    found = []
    if config.debug:
        found.append(fix("settings", "CROSSDOCK_DEBUG shows the program's insides to everybody.", "Remove it."))
    if config.demo:
        found.append(
            fix("settings", "CROSSDOCK_DEMO lets everybody sign in as anybody.", "Remove it, and use a new database.")
        )
    if config.local_shops:
        found.append(
            fix(
                "settings",
                "CROSSDOCK_ALLOW_LOCAL_SHOPS lets a seller's shop address point into your own network.",
                "Remove it.",
            )
        )
    if config.https and not config.trusted_proxies:
        found.append(
            fix(
                "settings",
                "PUBLIC_URL is https and no proxy is named, so that everybody seems to come from one address.",
                "Name the proxy in TRUSTED_PROXIES.",
            )
        )
    yield from found or [ok("settings", f"Made for {config.public_url}.")]


def keys(config: Config) -> Iterable[Finding]:
    """The key files are the only thing that a backup of the database does not hold."""
    for name, given, file in (
        ("SECRET_KEY", bool(config.secret_key_given), config.keys_folder / "secret.key"),
        ("VAULT_KEYS", bool(config.vault_keys_given), config.vault_keys_file),
    ):
        if given:
            yield ok("keys", f"{name} is set.")
        elif not config.embedded:
            yield look(
                "keys",
                f"{name} is the file {file} of this machine alone, while the database is another machine's.",
                f"Set {name} to its content on every machine that serves or works.",
            )
        elif _others_may_read(file):
            yield fix("keys", f"Other users of this machine may read {file}.", f"Run: chmod 600 {file}")
        else:
            yield ok("keys", f"{file} is readable for its owner alone. Keep a copy of it in another safe place.")


def _others_may_read(file: Path) -> bool:
    return bool(file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077)


def disk(config: Config) -> Iterable[Finding]:
    from crossdock.web.health import disk_nearly_full

    full = disk_nearly_full(config.data)
    said, _, do = full.partition(". ")
    yield fix("disk", f"{config.data}: {said}.", do) if full else ok("disk", f"There is room in {config.data}.")


def server(config: Config) -> Iterable[Finding]:
    """Durable writes, and connections to spare."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'", [list(_DURABLE)])
        off = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('max_connections')::int,"
            " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"
        )
        version, most, used = cursor.fetchone()
    if off:
        yield fix(
            "database",
            f"PostgreSQL {version} runs with {' and '.join(off)} off: a power cut loses orders that buyers paid.",
            "Turn it on in postgresql.conf and reload the server.",
        )
    if used > most * BUSY_SHARE:
        yield look(
            "database",
            f"{used} of PostgreSQL's {most} connections are taken.",
            "Raise max_connections, or lower CROSSDOCK_DATABASE_POOL or the number of processes.",
        )
    if not off and used <= most * BUSY_SHARE:
        yield ok("database", f"PostgreSQL {version} writes durably; {used} of {most} connections are taken.")


def clock(config: Config) -> Iterable[Finding]:
    from django.db import connection

    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        theirs = cursor.fetchone()[0]
    # The answer was read somewhere between the two looks at our own clock.
    after = time.time()
    apart = max(before - theirs, theirs - after, 0.0)
    if apart < CLOCK_LOOK:
        yield ok("clock", "This machine and the database agree.")
        return
    said = f"This machine and the database differ by {apart:.0f} seconds."
    told = fix if apart >= CLOCK_FIX else look
    yield told("clock", said, "Set both by NTP: signatures and deadlines depend on the time.")


def packages(config: Config) -> Iterable[Finding]:
    """Connectors of other packages that could not be used."""
    from crossdock.kit import discover

    for each in discover.broken():
        yield look(
            "connectors",
            f"The connector {each.platform} of the package {each.package.name} is passed over: {each.sentence}",
            "Update or remove that package, and restart the servers.",
        )


def secrets(config: Config) -> Iterable[Finding]:
    """Whether the present keys open what the database holds: they do not after a restore without the key's copy."""
    from django.apps import apps

    from crossdock.cli.vault import SEALED
    from crossdock.store.vault import VaultLocked, unseal

    opened = locked = 0
    for model, field in SEALED:
        rows = apps.get_model("store", model)._default_manager.exclude(**{field: None}).order_by("-pk")
        for sealed in rows.values_list(field, flat=True)[:MOST_SECRETS]:
            try:
                unseal(sealed)
                opened += 1
            except VaultLocked:
                locked += 1
    if locked:
        yield fix(
            "vault",
            f"{locked} of {opened + locked} stored credentials cannot be opened with the present keys.",
            "Restore the vault's key that was used before (VAULT_KEYS takes several); without it these shops have to be"
            " reconnected, and sellers have to type their tax details again.",
        )
    else:
        yield ok("vault", f"The present keys open the stored credentials ({opened} looked at).")


def worker(config: Config) -> Iterable[Finding]:
    from crossdock.usecases.shops.health import worker_works

    if worker_works():
        yield ok("worker", "At least one works.")
    else:
        yield fix(
            "worker",
            "None was heard of for two minutes: no order is sent to a shop and no mail leaves.",
            "Start one with `crossdock work`.",
        )


def shops(config: Config) -> Iterable[Finding]:
    from django.utils import timezone

    from crossdock.usecases.shops.health import shops_now

    now = shops_now(now=timezone.now())
    if now.late:
        yield fix(
            "shops",
            f"{now.late} are behind with a part of their work though they answer.",
            "Read which on staff's page; start more workers if all are.",
        )
    waiting = now.failing + now.signed_out + now.odd
    if waiting:
        yield look(
            "shops",
            f"{now.failing} do not answer, {now.signed_out} wait for their seller to sign in, {now.odd} hold something"
            " odd back.",
            "Their sellers were told; staff's page says which.",
        )
    if not now.late and not waiting:
        yield ok("shops", "All that are connected are as they should be.")


def agents(config: Config) -> Iterable[Finding]:
    """How long one key has signed what agents are told."""
    from django.utils import timezone

    from crossdock.usecases.outcomes.signing_keys import OLD, all_keys

    newest = next(iter(all_keys()), None) if config.agents_ucp else None
    if newest is None:
        return
    made = f"{newest.created_at:%Y-%m-%d}"
    if timezone.now() - newest.created_at < OLD:
        yield ok("agents", f"Order updates are signed with a key of {made}.")
    else:
        yield look(
            "agents",
            f"Order updates to agents are signed with one key since {made}.",
            "Make a new one: crossdock agent-keys --rotate --by STAFF",
        )


def audit(config: Config) -> Iterable[Finding]:
    """Whether the audit log arrives where it is sent on to."""
    if not config.audit_to:
        return
    from datetime import UTC, datetime, timedelta

    from crossdock.usecases.record.audit_sending import behind

    found = behind(target=config.audit_to)
    if found.since is None or (not found.failures and datetime.now(UTC) - found.since < timedelta(minutes=5)):
        yield ok("audit log", f"It is sent on to {config.audit_to}; {found.rows} rows are on their way.")
        return
    why = f" ({found.why}, {found.failures} times)" if found.failures else ""
    yield fix(
        "audit log",
        f"{found.rows} rows wait to be sent on to {config.audit_to}, since {found.since:%Y-%m-%d %H:%M} UTC{why}.",
        "Look whether a worker runs and whether the receiver takes connections; they are sent by themselves then.",
    )
