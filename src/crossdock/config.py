"""What an operator may set, typed, from the environment. Everything has a default; a wrong value is one sentence,
never a traceback.

DATABASE_URL, PUBLIC_URL, SECRET_KEY, VAULT_KEYS and TRUSTED_PROXIES are also read without the CROSSDOCK_ prefix. This
module knows no Django.
"""

import difflib
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AliasChoices, BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from crossdock.domain.due.zones import zones
from crossdock.identity import LOOPBACK, Identity, Words, words_in
from crossdock.seeing.settings import Telling

PREFIX = "CROSSDOCK_"
# Read by other parts of the house straight from the environment; named here so that they do not look like misspellings.
ALSO_READ = ("CROSSDOCK_CRASH", "CROSSDOCK_CHROMIUM", "CROSSDOCK_TEST_")

LONGEST_SOCKET_FOLDER = 80


class WrongSetting(Exception):
    """The sentence to print before giving up."""


def _plain_or_prefixed(name: str) -> AliasChoices:
    return AliasChoices(PREFIX + name, name)


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(words_in)]
Port = Annotated[int, Field(ge=1, le=65535)]


def default_data_folder(environment: Mapping[str, str] = os.environ, *, uid: int | None = None) -> Path:
    """/var/lib/crossdock for root, the user's own data folder for everybody else."""
    if (os.getuid() if uid is None else uid) == 0:
        return Path("/var/lib/crossdock")
    home = environment.get("XDG_DATA_HOME") or str(Path(environment.get("HOME") or Path.home()) / ".local" / "share")
    return Path(home) / "crossdock"


class Config(Telling, Identity):
    """One field per setting; the environment's name is the field's with CROSSDOCK_ before it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    data: Path = Field(default_factory=default_data_folder)
    database_url: str = Field(default="", validation_alias=_plain_or_prefixed("DATABASE_URL"))
    database_pool: int = Field(default=0, ge=0, le=200)
    public_url: str = Field(default="", validation_alias=_plain_or_prefixed("PUBLIC_URL"))
    allowed_hosts: Words = ()
    trusted_proxies: Networks = Field(default=(), validation_alias=_plain_or_prefixed("TRUSTED_PROXIES"))
    stale_after_minutes: int = Field(default=60, ge=5, le=10_000)
    ask_below: int = Field(default=3, ge=0, le=1_000_000)
    ask_older_seconds: int = Field(default=900, ge=0, le=604_800)
    poll_seconds: float = Field(default=0, ge=0, le=86_400)
    web_host: str = "127.0.0.1"
    web_port: Port = 8000
    web_processes: int = Field(default=1, ge=1, le=64)
    sandbox_port: Port = 8101
    secret_key_given: str = Field(default="", validation_alias=_plain_or_prefixed("SECRET_KEY"))
    vault_keys_given: Words = Field(default=(), validation_alias=_plain_or_prefixed("VAULT_KEYS"))
    site_name: str = "Crossdock"
    time_zone: str = "UTC"
    demo: bool = False
    allow_local_shops: bool | None = None
    debug: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["plain", "json"] = "plain"
    agents: bool = False
    agents_ucp: bool = False
    approve_sellers: bool = False
    metrics: bool = False
    metrics_token: str = Field(default="", max_length=500)
    payment_gateway: str = "sandbox"
    stripe_secret_key: str = ""
    stripe_publishable_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = ""
    carrier: str = "sandbox"
    easypost_api_key: str = ""
    easypost_webhook_secret: str = ""
    easypost_api_base: str = ""
    payout_provider: str = "sandbox"
    payout_hold_hours: int = Field(default=72, ge=0, le=720)
    credit_second_person_above: Decimal = Field(default=Decimal(200), ge=0)
    credit_second_person_day_above: Decimal = Field(default=Decimal(1000), ge=0)
    shop_refund_credit_up_to: Decimal = Field(default=Decimal(100), ge=0)
    cancel_answer_hours: int = Field(default=48, ge=1, le=24 * 14)
    return_answer_hours: int = Field(default=72, ge=1, le=24 * 14)
    return_days: int = Field(default=30, ge=0, le=400)
    return_days_undelivered: int = Field(default=45, ge=0, le=400)
    withdrawal_days: int = Field(default=14, ge=0, le=400)
    withdrawal_days_undelivered: int = Field(default=30, ge=0, le=400)
    withdrawal_everywhere: bool = False
    payable_days_after_delivery: int = Field(default=2, ge=0, le=90)
    payable_days_after_shipping: int = Field(default=7, ge=0, le=90)
    ip_country_db: Path | None = None
    ip_network_db: Path | None = None
    mail_from: str = "Crossdock <no-reply@localhost>"
    smtp_host: str = ""
    smtp_port: Port = 587
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    email_verification_given: Literal["none", "optional", "mandatory"] | None = Field(
        default=None, validation_alias=PREFIX + "EMAIL_VERIFICATION"
    )
    hook_body_limit: int = Field(default=2 * 1024 * 1024, ge=1024)

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("postgres", "postgresql"):
            raise ValueError("must look like postgresql://user:password@host:5432/name")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value not in zones():
            raise ValueError("must be a place such as Europe/Berlin, or UTC")
        return value

    @field_validator("public_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (
            parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query
        ):
            raise ValueError("must look like https://market.example.com, without a path")
        return value.rstrip("/")

    @field_validator("stripe_secret_key")
    @classmethod
    def _is_secret(cls, value: str) -> str:
        # A key in the wrong variable would be shown to every buyer, or refused at the first payment.
        if value and not value.startswith(("sk_", "rk_")):
            raise ValueError("must begin with sk_ or rk_ (the publishable key has a setting of its own)")
        return value

    @field_validator("stripe_publishable_key")
    @classmethod
    def _is_publishable(cls, value: str) -> str:
        if value and not value.startswith("pk_"):
            raise ValueError("must begin with pk_; every buyer's browser sees it, so it can't be the secret one")
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _is_hook_secret(cls, value: str) -> str:
        if value and not value.startswith("whsec_"):
            raise ValueError("must begin with whsec_")
        return value

    @field_validator("easypost_api_key")
    @classmethod
    def _is_easypost_key(cls, value: str) -> str:
        # Theirs begin with EZTK (test) or EZAK (live); a webhook's secret in this place would be sent with every call.
        if value and not value.startswith(("EZTK", "EZAK")):
            raise ValueError("must begin with EZTK (a test key) or EZAK (a live one)")
        return value

    @field_validator("stripe_api_base", "easypost_api_base")
    @classmethod
    def _is_base(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.hostname in LOOPBACK
        if value and (
            parts.scheme not in ("http", "https") or not parts.hostname or (parts.scheme == "http" and not local)
        ):
            raise ValueError("must be an https address, or http on this machine")
        return value.rstrip("/")

    @field_validator("vault_keys_given")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for position, key in enumerate(value, 1):
            try:
                Fernet(key)
            except ValueError:
                raise ValueError(
                    f"key {position} is not 32 bytes in URL-safe base64 (`crossdock rotate-vault-key --print` makes"
                    " one)"
                ) from None
        return value

    @property
    def embedded(self) -> bool:
        """True when we bring our own PostgreSQL."""
        return not self.database_url

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def email_verification(self) -> str:
        """Mandatory where letters are really sent: only then can signing up keep to itself who is registered."""
        return self.email_verification_given or ("mandatory" if self.smtp_host and not self.demo else "optional")

    @property
    def staff_second_factor(self) -> bool:
        """Staff need one everywhere but in a demo that is reached on this machine: everybody knows its password, and
        nothing in it is worth a theft.
        """
        reached_at = {urlsplit(self.public_url or self.local_url).hostname, self.web_host}
        return not self.demo or not reached_at <= set(LOOPBACK)

    @property
    def local_url(self) -> str:
        """The web server's address on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.web_host, self.web_host)  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.web_port}"

    @property
    def local_shops(self) -> bool:
        """Whether a shop's address may be on loopback or a private network: the demo's shops are, a stranger's must
        not.
        """
        return self.demo if self.allow_local_shops is None else self.allow_local_shops

    @property
    def socket_folder(self) -> Path:
        """Where the embedded database listens.

        A socket's path is limited to about 100 bytes and libpq splits it at commas: then the temporary folder.
        """
        beside = self.data / "run"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER and re.fullmatch(r"[\w/. @+-]+", str(beside), re.ASCII):
            return beside
        return Path("/tmp") / f"crossdock-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"  # noqa: S108 - its owner is checked before use

    @property
    def keys_folder(self) -> Path:
        return self.data / "keys"

    @property
    def vault_keys_file(self) -> Path:
        return self.keys_folder / "vault.keys"

    @cached_property
    def secret_key(self) -> str:
        return self.secret_key_given or _kept(self.keys_folder / "secret.key", lambda: secrets.token_urlsafe(48))

    @cached_property
    def vault_keys(self) -> tuple[str, ...]:
        """The first encrypts, all decrypt."""
        return self.vault_keys_given or tuple(
            _kept(self.vault_keys_file, lambda: Fernet.generate_key().decode()).split()
        )

    @property
    def gateway_keys(self) -> dict[str, dict[str, str]]:
        """What each payment provider is opened with; from the environment only, never stored."""
        stripe = {
            "secret_key": self.stripe_secret_key,
            "publishable_key": self.stripe_publishable_key,
            "webhook_secret": self.stripe_webhook_secret,
            "api_base": self.stripe_api_base,
        }
        return {"stripe": {name: value for name, value in stripe.items() if value}}

    @property
    def carrier_keys(self) -> dict[str, dict[str, str]]:
        """What each label provider is opened with; from the environment only, never stored."""
        easypost = {
            "api_key": self.easypost_api_key,
            "webhook_secret": self.easypost_webhook_secret,
            "api_base": self.easypost_api_base,
        }
        return {"easypost": {name: value for name, value in easypost.items() if value}}

    @cached_property
    def apps(self) -> dict[str, dict[str, str]]:
        """The operator's own app at each platform, from CROSSDOCK_APP_<PLATFORM>_<KEY>; names lower-cased."""
        found: dict[str, dict[str, str]] = {}
        for name, value in os.environ.items():
            platform, _, key = name.removeprefix(PREFIX + "APP_").lower().partition("_")
            if name.startswith(PREFIX + "APP_") and platform and key and value:
                found.setdefault(platform, {})[key] = value
        return found


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in this file, made once.

    Two processes that start together agree: the hard link lets only the first one win.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(make() + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        text = path.read_text().strip()
    except OSError as error:
        raise WrongSetting(
            f"The file {path} cannot be used ({error.strerror}); set CROSSDOCK_DATA to a folder that this user may"
            " write."
        ) from None
    if not text:
        raise WrongSetting(f"The file {path} is empty; restore it from a backup, or remove it to have a new key made.")
    return text


def _misspelt(environment: Mapping[str, str]) -> str | None:
    known = [PREFIX + name.removesuffix("_given").upper() for name in Config.model_fields] + list(ALSO_READ)
    for name in environment:
        if name.startswith(PREFIX) and not name.startswith((PREFIX + "APP_", *ALSO_READ)) and name not in known:
            close = difflib.get_close_matches(name, known, 1, 0.85)
            if close:
                return f"The setting {name} is not known; did you mean {close[0]}?"
    return None


def load() -> Config:
    """The settings of this process.

    Raises WrongSetting with one sentence that names the setting and never shows its value.
    """
    misspelt = _misspelt(os.environ)
    if misspelt:
        raise WrongSetting(misspelt)
    try:
        return Config()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "?"
        name = field if field.isupper() else PREFIX + field.upper()
        sentence = first["msg"].removeprefix("Value error, ")
        raise WrongSetting(f"The setting {name} is wrong: {sentence[:1].lower()}{sentence[1:]}.") from None
