"""The service's whole configuration, read once from the environment by main and cli alone."""

import os
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    UrlConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import MultiHostUrl
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "LINTAS_"
NOT_OURS = ("LINTAS_TEST_",)
"""Variables that the tests read for themselves."""

Port = Annotated[int, Field(ge=0, le=65535)]


def _seconds(value: Any) -> Any:
    return float(value) if isinstance(value, str) and value.replace(".", "", 1).isdecimal() else value


DatabaseUrl = Annotated[
    MultiHostUrl,
    UrlConstraints(host_required=True, allowed_schemes=["postgres", "postgresql", "postgresql+asyncpg"]),
]
Some = Annotated[timedelta, Field(gt=timedelta(0)), BeforeValidator(_seconds)]
"""A duration: seconds, or as ISO 8601 writes it."""


class SettingsInvalid(Exception):
    """The environment holds a setting that cannot be used; each line names one, and no value is shown."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class WebhookSettings(_Part):
    """How webhooks are delivered."""

    allow_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks that are not public but may be posted to all the same, such as 10.20.0.0/16."""
    allow_http: bool = False
    connect_timeout: Some = timedelta(seconds=5)
    total_timeout: Some = timedelta(seconds=15)
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 256
    keep_answers: bool = False
    """Whether the first 1 KiB of what a receiver answers is kept, sealed, and shown to its agency."""

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class RateLimitSettings(_Part):
    """How much one caller may ask of one process; 0 is no limit."""

    per_key: Annotated[int, Field(ge=0)] = 6000
    """Requests in a minute with one key."""
    failures_per_address: Annotated[int, Field(ge=0)] = 30
    """Requests in a minute from one address with keys that are not valid."""


class DatabaseSettings(_Part):
    """How the database is reached."""

    pool_size: Annotated[int, Field(ge=1, le=500)] = 10
    pool_overflow: Annotated[int, Field(ge=0, le=500)] = 10
    statement_timeout: Some = timedelta(seconds=15)
    through_pgbouncer: bool = False
    """Whether a pooler in transaction mode stands between."""
    listen_url: DatabaseUrl | None = Field(default=None, repr=False)
    """The database's own address where a pooler stands between, so that news is delivered at once."""
    run_role: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] | None = None
    """The database role that the service runs as, which `lintas migrate` gives its rights; None is the owner's."""


class Settings(BaseSettings):
    """Everything that can be set, each by a variable that begins with LINTAS_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_ignore_empty=True,
    )

    database_url: DatabaseUrl | None = Field(default=None, repr=False)
    """None: the embedded database, which only `lintas all` may start."""
    database: DatabaseSettings = DatabaseSettings()
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: AnyHttpUrl | None = None
    """The address that others reach this service by; None is the one it listens on."""
    forwarded_allow_ips: str = "127.0.0.1"
    """The proxies whose X-Forwarded-For is believed."""
    data_dir: Path = Path(".lintas")
    """Where `lintas all` keeps its database, key ring and trial keys."""
    key_ring: SecretStr | None = None
    """The key ring itself, as JSON; it goes before key_ring_file."""
    key_ring_file: Path | None = None
    trial: bool = True
    """Whether `lintas all` makes a key for each role, so that one can try it at once."""
    fallback_coordinator: str | None = None
    """The agency that acts where the national coordinator may not."""
    outage_after: Some = timedelta(minutes=2)
    """How long nobody must have looked after the clocks before it counts as an outage and is added to every clock."""
    confirm_vital_interest: Some = timedelta(hours=24)
    """Within which time somebody must confirm that an emergency moves without consent."""
    history_months: Annotated[int, Field(ge=0, le=1200)] = 13
    """How many whole months events and the history of their deliveries are kept after their own; 0 is for ever."""
    webhook: WebhookSettings = WebhookSettings()
    rate_limit: RateLimitSettings = RateLimitSettings()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] | None = None
    """None: JSON, but text for a person whose terminal runs `lintas all`."""
    stop_within: Some = timedelta(seconds=20)
    """How long requests and posts under way may take to end when the service is stopped."""

    @property
    def reached_at(self) -> str:
        """Give the address that others reach this service by, without a slash at its end."""
        if self.public_url is not None:
            return str(self.public_url).rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def read_settings(**given: Any) -> Settings:
    """Read the settings, those given before those of the environment, or say which are wrong (SettingsInvalid)."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    unknown = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and not name.startswith(NOT_OURS) and name.partition("__")[0] not in known
    )
    if unknown:
        raise SettingsInvalid(tuple(f"{name}: there is no such setting" for name in unknown))
    try:
        return Settings(**given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        raise SettingsInvalid(tuple(f"{_variable(fault['loc'])}: {_said(fault)}" for fault in faults)) from None
    except Exception as error:  # noqa: BLE001 - pydantic-settings raises its own for what it cannot parse
        raise SettingsInvalid((f"the settings cannot be read ({type(error).__name__})",)) from None


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(part.upper() for part in location if isinstance(part, str) and part.islower())


def _said(fault: Any) -> str:
    # The message of a value error may repeat the value.
    return "cannot be used" if fault["type"] in {"value_error", "assertion_error"} else fault["msg"]
