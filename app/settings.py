"""The service's whole configuration, read once from the environment by main and cli alone."""

import os
import ssl
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    UrlConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import MultiHostUrl, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from app.domain.channel import MAILTO, faults_of_mailbox
from app.domain.client_certificate import HeaderForm
from app.secret_files import SecretFiles, SecretsUnreadable, secrets_of_environment

PREFIX = "LINTAS_"
NOT_OURS = ("LINTAS_TEST_",)
"""Variables that the tests read for themselves."""

Port = Annotated[int, Field(ge=0, le=65535)]


def _seconds(value: Any) -> Any:
    return float(value) if isinstance(value, str) and value.replace(".", "", 1).isdecimal() else value


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


DatabaseUrl = Annotated[
    MultiHostUrl,
    UrlConstraints(host_required=True, allowed_schemes=["postgres", "postgresql", "postgresql+asyncpg"]),
]
Some = Annotated[timedelta, Field(gt=timedelta(0)), BeforeValidator(_seconds)]
"""A duration: seconds, or as ISO 8601 writes it."""
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]
"""Networks and addresses, with commas between."""
Word = Annotated[str, Field(min_length=1, max_length=255)]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""How a token may be signed: all by a key of which the half that verifies is public."""


def _an_hour_at_most(value: timedelta) -> timedelta:
    if value > timedelta(hours=1):
        raise PydanticCustomError("too_long", "Input should be less than or equal to 1 hour")
    return value


UpToAnHour = Annotated[Some, AfterValidator(_an_hour_at_most)]


class SettingsInvalid(Exception):
    """The environment holds a setting that cannot be used; each line names one, and no value is shown."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BreakerSettings(_Part):
    """When an endpoint that fails again and again is left alone, and until when."""

    window: UpToAnHour = timedelta(minutes=3)
    """How long attempts are counted, from a failure on."""
    at_least: Annotated[int, Field(ge=1, le=10_000)] = 10
    """How many attempts must have ended in it. One after the other, so many that time out must fit into it."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of failures among them that opens the breaker."""
    first_wait: UpToAnHour = timedelta(seconds=30)
    """How long until the first probe; each that fails doubles it."""
    longest_wait: UpToAnHour = timedelta(minutes=5)
    """How long at most; nothing waits longer for an endpoint that is well again."""

    @model_validator(mode="after")
    def _grows(self) -> "BreakerSettings":
        if self.longest_wait < self.first_wait:
            raise PydanticCustomError("breaker_waits", "LONGEST_WAIT is shorter than FIRST_WAIT")
        return self


class WebhookSettings(_Part):
    """How webhooks are delivered."""

    allow_networks: Networks = ()
    """Networks that are not public but may be posted to all the same, such as 10.20.0.0/16."""
    allow_http: bool = False
    connect_timeout: Some = timedelta(seconds=5)
    total_timeout: Some = timedelta(seconds=15)
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 256
    keep_answers: bool = False
    """Whether the first 1 KiB of what a receiver answers is kept, sealed, and shown to its agency."""
    breaker: BreakerSettings = BreakerSettings()


class MetricsSettings(_Part):
    """Where a process, of the API or of the workers, shows its metrics and its health to whoever watches it."""

    host: str = "127.0.0.1"
    """Metrics name nobody, but they are for nobody else either."""
    port: Port | None = None
    """None: nowhere; 0: any port that is free, which the log names. Each process of a machine needs its own."""


class TracingSettings(_Part):
    """Where what is traced is sent."""

    endpoint: AnyHttpUrl | None = None
    """An OTLP/HTTP address, such as http://collector:4318/v1/traces; None: nothing is traced."""
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share of requests that are traced, of those whose caller has not decided that."""


STANDARD_PORTS = {"starttls": 587, "implicit": 465, "none": 25}


class MailSettings(_Part):
    """How mail is sent to agencies that have no server; without a host, none is."""

    host: Word | None = None
    """The mail server that takes mail from us and sends it on."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """None: 587, or 465 with implicit TLS, or 25 without any."""
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """`none` sends all that is mailed in the clear, for a server on the same machine or in a trial."""
    ca_file: Path | None = None
    """A PEM file with the only authorities trusted for that server; None is the public ones."""
    username: Word | None = None
    password: SecretStr | None = None
    sender: Annotated[str, Field(max_length=254)] | None = None
    """The address that mail comes from, and that bounces go to."""
    connections: Annotated[int, Field(ge=1, le=64)] = 8
    """How many connections one process has to the mail server at once; emergencies alone may have one more."""

    @model_validator(mode="after")
    def _whole(self) -> "MailSettings":
        if self.host is None:
            if self.sender is not None or self.username is not None or self.password is not None:
                raise _incomplete("LINTAS_MAIL__HOST is needed: without it no mail is sent")
            return self
        if self.sender is None or any(faults_of_mailbox(MAILTO + self.sender)):
            raise _incomplete("LINTAS_MAIL__SENDER must be a plain mail address where there is a host")
        if (self.username is None) is not (self.password is None):
            raise _incomplete("LINTAS_MAIL__USERNAME and LINTAS_MAIL__PASSWORD go together")
        if self.username is not None and self.tls == "none":
            raise _incomplete("LINTAS_MAIL__PASSWORD is not sent without TLS")
        try:
            ssl.create_default_context(cafile=self.ca_file)
        except OSError:
            raise _incomplete("LINTAS_MAIL__CA_FILE cannot be read, or holds no certificates in PEM") from None
        return self

    @property
    def server_port(self) -> int:
        """Give the port of the mail server."""
        return self.port or STANDARD_PORTS[self.tls]


class RateLimitSettings(_Part):
    """How much one caller may ask of one process; 0 is no limit."""

    per_key: Annotated[int, Field(ge=0)] = 6000
    """Requests in a minute with one key."""
    failures_per_address: Annotated[int, Field(ge=0)] = 30
    """Requests in a minute from one address with keys that are not valid."""


class SecondPersonSettings(_Part):
    """What a second person has to confirm."""

    publishing: bool | None = None
    """Publishing an agreement; None is yes, but no in a trial: `lintas all` on its own database."""
    endpoints: bool | None = None
    """An endpoint's address, secret and TLS identity; None as above."""
    within: Some = timedelta(days=3)
    """How long a proposal waits for its second person."""


class TokenSettings(_Part):
    """Which access tokens of an outside issuer are taken beside keys; without an issuer, none."""

    issuer: Word | None = None
    """As the tokens name it, to the letter: https, or http to this machine itself in a trial."""
    audience: Word | None = None
    """What the issuer calls this service."""
    key_set_url: Word | None = None
    """None: what the issuer's discovery document says."""
    algorithms: Annotated[tuple[Algorithm, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = (
        "RS256",
        "ES256",
    )
    types: Annotated[tuple[Literal["at+jwt", "jwt"], ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = (
        "at+jwt",
    )
    """What the header's `typ` may be; `jwt` for an issuer that does not know RFC 9068."""
    agency_claim: Word = "lintas_agency"
    """The claim that names the agency: a name, or a JSON Pointer."""
    roles_claim: Word = "lintas_roles"
    scope_claim: Word | None = None
    """None: a token may do all that its roles may."""
    leeway: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(minutes=5)), BeforeValidator(_seconds)] = (
        timedelta(seconds=30)
    )
    """How far the issuer's clock may be off."""
    longest_life: Some = timedelta(hours=24)
    """From a token's issue to its end."""
    keys_fresh_for: Annotated[Some, Field(ge=timedelta(seconds=10))] = timedelta(minutes=5)
    keys_good_for: Some = timedelta(hours=6)
    """How long the issuer's keys count while it does not answer."""

    @model_validator(mode="after")
    def _whole(self) -> "TokenSettings":
        if self.issuer is None:
            if self.audience is not None or self.key_set_url is not None:
                raise _incomplete("LINTAS_TOKENS__ISSUER is needed: without it no token counts")
            return self
        for name, address in (("ISSUER", self.issuer), ("KEY_SET_URL", self.key_set_url)):
            if address is not None and not _may_be_fetched(address):
                raise _incomplete(f"LINTAS_TOKENS__{name} must be an https address without query or fragment")
        if self.audience is None:
            raise _incomplete("LINTAS_TOKENS__AUDIENCE is needed where there is an issuer")
        if self.keys_good_for < self.keys_fresh_for:
            raise _incomplete("LINTAS_TOKENS__KEYS_GOOD_FOR must not be shorter than KEYS_FRESH_FOR")
        return self

    @property
    def on_this_machine(self) -> bool:
        """Whether the issuer is one of a trial, without TLS."""
        return self.issuer is not None and self.issuer.startswith("http://")


def _may_be_fetched(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    local = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    return bool(parts.hostname) and plain and (parts.scheme == "https" or local)


def _incomplete(message: str) -> PydanticCustomError:
    return PydanticCustomError("incomplete", message)


READ_BY_OTHERS = frozenset({"authorization", "content-length", "content-type", "cookie", "host", "x-forwarded-for"})
"""Headers that would be taken from every request if they were the certificate's."""


class CertificateSettings(_Part):
    """How a proxy in front passes on the client certificates it has verified; without a header, none counts."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,99}$")] | None = None
    form: HeaderForm = HeaderForm.CERTIFICATE
    """What the header holds: the certificate, its SHA-256 fingerprint, or its subject."""
    proxies: Networks = ()
    """The proxies whose header counts; from everybody else it is dropped."""

    @model_validator(mode="after")
    def _whole(self) -> "CertificateSettings":
        if self.header is not None and self.header.lower() in READ_BY_OTHERS:
            raise _incomplete("LINTAS_CERTIFICATES__HEADER is a header that means something else")
        if self.header is not None and not self.proxies:
            raise _incomplete("LINTAS_CERTIFICATES__PROXIES is needed where there is a header")
        return self


class SignInSettings(_Part):
    """How people sign in to the console, and how long they stay."""

    issuer: Word | None = None
    """The provider (OpenID Connect), as its tokens name it, to the letter; None is none."""
    client_id: Word | None = None
    """What the provider knows this service by; it must lead back to /console/sign-in/return."""
    client_secret: SecretStr | None = None
    """None: a public client, which PKCE alone protects."""
    scope: Word = "openid profile"
    algorithms: Annotated[tuple[Algorithm, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = (
        "RS256",
        "ES256",
    )
    agency_claim: Word = "lintas_agency"
    """The claim of the ID token that names the agency: a name, or a JSON Pointer."""
    roles_claim: Word = "lintas_roles"
    leeway: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(minutes=5)), BeforeValidator(_seconds)] = (
        timedelta(seconds=30)
    )
    """How far the provider's clock may be off."""
    asks_again: bool = True
    """Whether the provider asks who it is each time, though somebody signed in there before in this browser."""
    idle: Annotated[Some, Field(ge=timedelta(minutes=1), le=timedelta(hours=8))] = timedelta(minutes=30)
    """How long a session lives in which nothing is asked for."""
    longest: Annotated[Some, Field(ge=timedelta(minutes=5), le=timedelta(hours=24))] = timedelta(hours=8)
    """How long a session lives however much it is used."""
    leave_to: Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9/._~-]*$")] = (
        "https://www.google.com/"
    )
    """The harmless page that "leave now" leads to."""

    @model_validator(mode="after")
    def _whole(self) -> "SignInSettings":
        if self.issuer is None:
            if self.client_id is not None or self.client_secret is not None:
                raise _incomplete("LINTAS_SIGN_IN__ISSUER is needed: without it nobody signs in there")
            return self
        if not _may_be_fetched(self.issuer):
            raise _incomplete("LINTAS_SIGN_IN__ISSUER must be an https address without query or fragment")
        if self.client_id is None:
            raise _incomplete("LINTAS_SIGN_IN__CLIENT_ID is needed where there is an issuer")
        if "openid" not in self.scope.split():
            raise _incomplete("LINTAS_SIGN_IN__SCOPE must hold openid")
        return self


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

    secrets_dir: Path | None = None
    """A directory of files, each named as a variable of these and holding its value: for what is not set otherwise."""
    database_url: DatabaseUrl | None = Field(default=None, repr=False)
    """None: the embedded database, which only `lintas all` may start."""
    database: DatabaseSettings = DatabaseSettings()
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: AnyHttpUrl | None = None
    """The address that others reach this service by; None is the one it listens on."""
    forwarded_allow_ips: Networks = (IPv4Network("127.0.0.1"),)
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
    retention_file: Path | None = None
    """How long cases are kept after their end, where that is not as shipped: a YAML document (docs/rights.md)."""
    erasure_ledger: Path | None = None
    """Where erasures are written down outside the database; None is erasures.jsonl in data_dir."""
    webhook: WebhookSettings = WebhookSettings()
    mail: MailSettings = MailSettings()
    rate_limit: RateLimitSettings = RateLimitSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings = TracingSettings()
    second_person: SecondPersonSettings = SecondPersonSettings()
    console_reaches_for: Annotated[timedelta, Field(ge=timedelta(0)), BeforeValidator(_seconds)] = timedelta(days=7)
    """How long after somebody of an agency signed in the console counts as a way by which it is told; 0 is never."""
    tokens: TokenSettings = TokenSettings()
    certificates: CertificateSettings = CertificateSettings()
    console: bool | None = None
    """Whether the console is at /console; None is yes under `lintas all` and in a sandbox."""
    sign_in: SignInSettings = SignInSettings()
    docs: bool = True
    """Whether the manual and the API reference are shown at /docs."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] | None = None
    """None: JSON, but text for a person whose terminal runs `lintas all`."""
    stop_within: Some = timedelta(seconds=20)
    """How long requests and posts under way may take to end when the service is stopped."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given first, then the environment, then files."""
        return sources["init_settings"], sources["env_settings"], SecretFiles(settings_cls, prefix=PREFIX)

    @property
    def is_trial(self) -> bool:
        """Whether this is a trial on the embedded database: nobody else has a hand in it."""
        return self.trial and self.database_url is None

    @property
    def ledger(self) -> Path:
        """Give the erasure ledger."""
        return self.erasure_ledger or self.data_dir / "erasures.jsonl"

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
    try:
        names = {*os.environ, *secrets_of_environment(PREFIX)}
    except SecretsUnreadable as error:
        raise SettingsInvalid((str(error),)) from None
    unknown = sorted(
        name
        for name in names
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
