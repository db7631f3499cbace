"""Where the house tells of itself, as the operator sets it; part of `Config`."""

import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class Telling(BaseSettings):
    error_dsn: str = ""
    audit_to: str = Field(default="", max_length=300)
    traces_url: str = ""
    traces_headers: str = ""
    traces_share: float = Field(default=1.0, ge=0, le=1)

    @field_validator("audit_to")
    @classmethod
    def _is_receiver(cls, value: str) -> str:
        parts = urlsplit(value)
        ends = not parts.path and parts.port and parts.hostname and not parts.username
        near = _is_loopback(parts.hostname or "") or "." not in (parts.hostname or ".")
        whole = {
            "tls": ends,
            "tcp": ends and near,
            "file": parts.path.startswith("/") and not parts.netloc,
            "stdout": value == "stdout:",
        }
        if value and not whole.get(parts.scheme):
            raise ValueError(
                "must look like tls://logs.example.com:6514, tcp://127.0.0.1:601 (this machine or a name without a dot"
                " alone), file:///var/log/crossdock/audit.jsonl or stdout:"
            )
        return value

    @field_validator("traces_url")
    @classmethod
    def _is_collector(cls, value: str) -> str:
        parts = urlsplit(value)
        # A collector beside the servers, in the same compose file or cluster, has a name without a dot.
        near = _is_loopback(parts.hostname or "") or "." not in (parts.hostname or ".")
        if value and (
            parts.scheme not in ("https", *(["http"] if near else [])) or not parts.hostname or parts.username
        ):
            raise ValueError(
                "must be an https address such as https://collector.example.com/v1/traces (http on this machine, or to"
                " a name without a dot)"
            )
        return value

    @field_validator("traces_headers")
    @classmethod
    def _are_headers(cls, value: str) -> str:
        if any(not re.fullmatch(r"[\w-]+=[\x21-\x7e]+", pair) for pair in _pairs(value)):
            raise ValueError("must look like name=value,name=value with a space written as %20")
        return value

    @field_validator("error_dsn")
    @classmethod
    def _is_dsn(cls, value: str) -> str:
        parts = urlsplit(value)
        safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
        if value and not (safe and parts.hostname and parts.username and re.search(r"/\d+$", parts.path)):
            raise ValueError("must look like https://key@errors.example.com/1 (http on this machine alone)")
        return value

    @property
    def traces_sent_with(self) -> dict[str, str]:
        """Headers of each sending to the collector: a token, most often."""
        named = (pair.partition("=") for pair in _pairs(self.traces_headers))
        return {name: unquote(value) for name, _, value in named}


def _pairs(value: str) -> list[str]:
    return [pair.strip() for pair in value.split(",") if pair.strip()]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
