"""A wrong setting is named, and its value is shown to nobody."""

import ipaddress
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.breaker import BreakerRule
from app.service import second_person_of
from app.settings import Settings, SettingsInvalid, read_settings
from app.workers import pace_of


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LINTAS_{name.upper()}", raising=False)


def test_nothing_needs_to_be_set_for_a_trial() -> None:
    settings = read_settings()

    assert settings.database_url is None
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8080, Path(".lintas"))
    assert settings.reached_at == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (False, False)),
        ({"LINTAS_DATABASE_URL": "postgresql://db/lintas"}, (True, True)),
        ({"LINTAS_TRIAL": "no"}, (True, True)),
        ({"LINTAS_DATABASE_URL": "postgresql://db/lintas", "LINTAS_SECOND_PERSON__ENDPOINTS": "no"}, (True, False)),
        ({"LINTAS_SECOND_PERSON__PUBLISHING": "yes"}, (True, False)),
    ],
)
def test_a_second_person_is_asked_for_outside_trials_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: tuple[bool, bool]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    found = second_person_of(read_settings())

    assert (found.publishing, found.endpoints) == expected
    assert found.within == timedelta(days=3)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINTAS_DATABASE_URL", "postgresql://lintas:canary@db/lintas")
    monkeypatch.setenv("LINTAS_KEY_RING", "canary")
    monkeypatch.setenv("LINTAS_WEBHOOK__ALLOW_NETWORKS", "10.0.0.0/8, fd00::/8")
    monkeypatch.setenv("LINTAS_WEBHOOK__TOTAL_TIMEOUT", "PT20S")
    monkeypatch.setenv("LINTAS_OUTAGE_AFTER", "90")
    monkeypatch.setenv("LINTAS_PUBLIC_URL", "https://lintas.example/")
    monkeypatch.setenv("LINTAS_PORT", "")

    settings = read_settings(host="::1")

    assert str(settings.database_url) == "postgresql://lintas:canary@db/lintas"
    assert settings.webhook.allow_networks == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("fd00::/8"),
    )
    assert settings.webhook.total_timeout == timedelta(seconds=20)
    assert settings.outage_after == timedelta(seconds=90)
    assert settings.reached_at == "https://lintas.example"
    assert settings.port == 8080
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINTAS_DATABASE_URL", "mysql://lintas:canary@db/lintas"),
        ("LINTAS_PORT", "canary"),
        ("LINTAS_PORT", "70000"),
        ("LINTAS_OUTAGE_AFTER", "-5"),
        ("LINTAS_WEBHOOK__ALLOW_NETWORKS", "10.0.0.0/8,canary"),
        ("LINTAS_WEBHOOK__CANARY", "1"),
        ("LINTAS_WEBHOOK__CONCURRENCY", "0"),
        ("LINTAS_WEBHOOK__BREAKER__WINDOW", "P1D"),
        ("LINTAS_WEBHOOK__BREAKER__AT_LEAST", "0"),
        ("LINTAS_WEBHOOK__BREAKER__SHARE", "1.01"),
        ("LINTAS_WEBHOOK__BREAKER__SHARE", "0"),
        ("LINTAS_WEBHOOK__BREAKER", '{"first_wait": "PT10S", "longest_wait": "PT9S"}'),
        ("LINTAS_WEBHOOK__BREAKER__CANARY", "1"),
        ("LINTAS_PUBLIC_URL", "canary"),
        ("LINTAS_LOG_LEVEL", "canary"),
        ("LINTAS_DATABSE_URL", "canary"),
        ("LINTAS_FORWARDED_ALLOW_IPS", "*"),
        ("LINTAS_FORWARDED_ALLOW_IPS", "127.0.0.1,canary"),
        ("LINTAS_TOKENS__ALGORITHMS", "HS256"),
        ("LINTAS_TOKENS__ALGORITHMS", "none"),
        ("LINTAS_TOKENS__ALGORITHMS", "RS256,canary"),
        ("LINTAS_TOKENS__ALGORITHMS", ","),
        ("LINTAS_TOKENS__TYPES", "canary"),
        ("LINTAS_TOKENS__LEEWAY", "301"),
        ("LINTAS_TOKENS__KEYS_FRESH_FOR", "9"),
        ("LINTAS_CERTIFICATES__HEADER", "X_canary"),
        ("LINTAS_CERTIFICATES__FORM", "canary"),
        ("LINTAS_CERTIFICATES__PROXIES", "canary"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsInvalid) as caught:
        read_settings()

    assert all(fault.startswith(name) for fault in caught.value.faults)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_header_of_a_certificate_is_none_that_means_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINTAS_CERTIFICATES__PROXIES", "10.0.0.7")
    for name in ("Authorization", "host"):
        monkeypatch.setenv("LINTAS_CERTIFICATES__HEADER", name)

        with pytest.raises(SettingsInvalid, match="LINTAS_CERTIFICATES__HEADER"):
            read_settings()


A_WORKING_ISSUER = {
    "LINTAS_TOKENS__ISSUER": "https://sso.example/realms/lintas",
    "LINTAS_TOKENS__AUDIENCE": "https://lintas.example",
}


def test_an_issuer_of_tokens_and_a_proxy_with_certificates_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().tokens.issuer is None
    for name, value in A_WORKING_ISSUER.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LINTAS_TOKENS__ALGORITHMS", "ES256, EdDSA")
    monkeypatch.setenv("LINTAS_TOKENS__LEEWAY", "0")
    monkeypatch.setenv("LINTAS_CERTIFICATES__HEADER", "Client-Cert")
    monkeypatch.setenv("LINTAS_CERTIFICATES__PROXIES", "10.0.0.7,fd00::/8")
    monkeypatch.setenv("LINTAS_FORWARDED_ALLOW_IPS", "10.0.0.7")

    settings = read_settings()

    assert settings.tokens.issuer == "https://sso.example/realms/lintas"
    assert settings.tokens.algorithms == ("ES256", "EdDSA")
    assert settings.certificates.proxies == (ipaddress.ip_network("10.0.0.7/32"), ipaddress.ip_network("fd00::/8"))
    assert settings.forwarded_allow_ips == (ipaddress.ip_network("10.0.0.7/32"),)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("LINTAS_TOKENS__AUDIENCE", "LINTAS_TOKENS__ISSUER"),
        ("LINTAS_TOKENS__ISSUER", "LINTAS_TOKENS__AUDIENCE"),
        ("LINTAS_CERTIFICATES__HEADER", "LINTAS_CERTIFICATES__PROXIES"),
    ],
)
def test_half_a_setting_stops_the_start_and_the_other_half_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, missing: str
) -> None:
    monkeypatch.setenv(name, "X-Canary" if name.endswith("HEADER") else "https://canary.example")

    with pytest.raises(SettingsInvalid) as caught:
        read_settings()

    assert missing in str(caught.value)
    assert "canary" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("LINTAS_TOKENS__ISSUER", "http://sso.example", "LINTAS_TOKENS__ISSUER"),
        ("LINTAS_TOKENS__ISSUER", "https://sso.example?realm=a", "LINTAS_TOKENS__ISSUER"),
        ("LINTAS_TOKENS__ISSUER", "https://user:canary@sso.example", "LINTAS_TOKENS__ISSUER"),
        ("LINTAS_TOKENS__ISSUER", "sso.example", "LINTAS_TOKENS__ISSUER"),
        ("LINTAS_TOKENS__ISSUER", "https://[", "LINTAS_TOKENS__ISSUER"),
        ("LINTAS_TOKENS__AUDIENCE", "", "LINTAS_TOKENS__AUDIENCE"),
        ("LINTAS_TOKENS__KEY_SET_URL", "http://sso.example/keys", "LINTAS_TOKENS__KEY_SET_URL"),
        ("LINTAS_TOKENS__KEYS_GOOD_FOR", "60", "LINTAS_TOKENS__KEYS_GOOD_FOR"),
    ],
)
def test_an_issuer_that_could_not_be_asked_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    for given, working in A_WORKING_ISSUER.items():
        monkeypatch.setenv(given, working)
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsInvalid) as caught:
        read_settings()

    assert named in str(caught.value)
    assert "example" not in str(caught.value)


def test_breakers_open_and_are_probed_as_the_operator_has_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("WINDOW", "PT10M"),
        ("AT_LEAST", "3"),
        ("SHARE", "0.75"),
        ("FIRST_WAIT", "5"),
        ("LONGEST_WAIT", "PT1M"),
    ):
        monkeypatch.setenv(f"LINTAS_WEBHOOK__BREAKER__{name}", value)

    rule = pace_of(read_settings()).breaker

    assert rule == BreakerRule(
        window=timedelta(minutes=10),
        at_least=3,
        share=0.75,
        first_wait=timedelta(seconds=5),
        longest_wait=timedelta(minutes=1),
    )


def test_what_is_not_set_of_a_breaker_is_as_the_domain_has_it() -> None:
    assert pace_of(Settings()).breaker == BreakerRule()


@pytest.mark.parametrize(
    ("settings", "port"),
    [({}, 587), ({"TLS": "implicit"}, 465), ({"TLS": "none"}, 25), ({"TLS": "none", "PORT": "2525"}, 2525)],
)
def test_mail_goes_to_the_usual_port_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], port: int
) -> None:
    for name, value in ({"HOST": "mail.lembaga.example", "SENDER": "lintas@lembaga.example"} | settings).items():
        monkeypatch.setenv(f"LINTAS_MAIL__{name}", value)

    mail = read_settings().mail

    assert (mail.server_port, mail.tls) == (port, settings.get("TLS", "starttls"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"SENDER": "kanari@lembaga.example"}, "HOST"),
        ({"PASSWORD": "kanari"}, "HOST"),
        ({"HOST": "kanari.example"}, "SENDER"),
        ({"HOST": "kanari.example", "SENDER": "Kanari <a@b.example>"}, "SENDER"),
        ({"HOST": "kanari.example", "SENDER": "a@b.example\r\nBcc: kanari@c.example"}, "SENDER"),
        ({"HOST": "kanari.example", "SENDER": "a@b.example", "USERNAME": "kanari"}, "PASSWORD"),
        (
            {"HOST": "kanari.example", "SENDER": "a@b.example", "USERNAME": "a", "PASSWORD": "kanari", "TLS": "none"},
            "PASSWORD",
        ),
        ({"HOST": "kanari.example", "SENDER": "a@b.example", "TLS": "kanari"}, "TLS"),
        ({"HOST": "kanari.example", "SENDER": "a@b.example", "CONNECTIONS": "0"}, "CONNECTIONS"),
        ({"HOST": "kanari.example", "SENDER": "a@b.example", "CA_FILE": "/kanari.pem"}, "CA_FILE"),
        ({"HOST": "kanari.example", "SENDER": "a@b.example", "CA_FILE": __file__}, "CA_FILE"),
    ],
)
def test_mail_that_could_not_be_sent_or_would_go_in_the_clear_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"LINTAS_MAIL__{name}", value)

    with pytest.raises(SettingsInvalid) as wrong:
        read_settings()

    assert f"LINTAS_MAIL__{named}" in str(wrong.value)
    assert "kanari" not in str(wrong.value).lower()


def test_the_console_may_count_as_no_way_to_be_told_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = read_settings().console_reaches_for
    monkeypatch.setenv("LINTAS_CONSOLE_REACHES_FOR", "0")

    assert (usual, read_settings().console_reaches_for) == (timedelta(days=7), timedelta(0))
