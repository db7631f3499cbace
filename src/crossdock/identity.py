"""The identity provider by which staff sign in, as the operator sets it; part of `Config`. Off without an issuer."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def words_in(value: object) -> object:
    return [word for word in re.split(r"[\s,]+", value) if word] if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(words_in)]


def safe(url: str) -> bool:
    """Whether keys and codes may travel there: over TLS, or on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


@dataclass(frozen=True, slots=True)
class Oidc:
    """`second_factor`: values of `amr` or `acr` by which the provider says that it asked for two factors. `only`: staff
    sign in by it alone, but for the addresses in `password_for`.
    """

    issuer: str
    name: str
    client_id: str
    client_secret: str
    second_factor: frozenset[str] = frozenset()
    only: bool = False
    password_for: frozenset[str] = frozenset()


class Identity(BaseSettings):
    oidc_issuer: str = ""
    oidc_name: str = Field(default="your company", max_length=60)
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_client_secret_file: Path | None = None
    oidc_second_factor: Words = ()
    oidc_only: bool = False
    oidc_password_for: Words = ()

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        # Compared letter by letter with what the provider says, a slash at the end too (OpenID Connect Core, 3.1.3.7).
        if value and (not safe(value) or urlsplit(value).query or urlsplit(value).fragment):
            raise ValueError("must look like https://login.example.com/realm (http on this machine alone)")
        return value

    @field_validator("oidc_client_secret_file")
    @classmethod
    def _is_readable(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                value.read_text()
            except (OSError, UnicodeDecodeError):
                raise ValueError("must be a text file that this user may read") from None
        return value

    @property
    def oidc_secret(self) -> str:
        """From the variable, or from the file, as secrets of containers are."""
        if self.oidc_client_secret or self.oidc_client_secret_file is None:
            return self.oidc_client_secret
        return self.oidc_client_secret_file.read_text().strip()

    @property
    def oidc(self) -> Oidc | None:
        """None while it is off, or has no client's id and secret (which servers refuse to start with)."""
        if not (self.oidc_issuer and self.oidc_client_id and self.oidc_secret):
            return None
        return Oidc(
            self.oidc_issuer,
            self.oidc_name,
            self.oidc_client_id,
            self.oidc_secret,
            frozenset(self.oidc_second_factor),
            self.oidc_only,
            frozenset(address.lower() for address in self.oidc_password_for),
        )
