"""`lintas keys ...` for who calls without a key: by a client certificate, or by a token of the outside issuer."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from app.commands.narrowing import Scopes, narrowed
from app.commands.running import CannotGoOn, in_transaction, print_columns
from app.domain.caller import Role
from app.domain.client_certificate import (
    CertificateUnreadable,
    KnownBy,
    Presented,
    read_fingerprint,
    read_pem,
    read_subject,
)
from app.main import real_time
from app.storage import client_certificates, token_subjects
from app.storage.client_certificates import AlreadyRegistered
from app.workflows.register_certificate import register_certificate, revoke_certificate, revoke_subject

Agency = Annotated[str | None, typer.Option(help="Kode lembaga / agency code.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to a group."""
    group.command("add-certificate")(add_certificate)
    group.command("list-certificates")(list_certificates)
    group.command("revoke-certificate")(end_certificate)
    group.command("list-subjects")(list_subjects)
    group.command("revoke-subject")(end_subject)


def add_certificate(
    agency: Annotated[str, typer.Option(help="Kode lembaga / agency code.")],
    role: Annotated[list[Role], typer.Option(help="Boleh diulang / may be repeated.")],
    file: Annotated[Path | None, typer.Option(help="Sertifikat PEM / the certificate in PEM.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="SHA-256, heksadesimal / in hexadecimal.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="Subjek, seperti ditulis proksi / as the proxy writes it.")
    ] = None,
    label: Annotated[str, typer.Option(help="Untuk apa / what it is for.")] = "",
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Masa berlaku, hari / days until it expires.")
    ] = None,
    scope: Scopes = None,
) -> None:
    """Let an agency call by a client certificate, known by its fingerprint or by its subject."""
    presented, end = _certificate(file, fingerprint, subject)
    if days is not None:
        own = real_time() + timedelta(days=days)
        end = own if end is None else min(own, end)
    scopes = narrowed(scope, role)
    try:
        added = in_transaction(
            lambda tx: register_certificate(
                tx, agency_code=agency, presented=presented, roles=role, scopes=scopes, label=label, expires_at=end
            )
        )
    except AlreadyRegistered:
        raise CannotGoOn("sertifikat itu sudah terdaftar", "that certificate is registered already") from None
    print(f"{added}: {presented.known_by.value} {presented.value}")


def list_certificates(agency: Agency = None) -> None:
    """List the client certificates that agencies call by."""
    rows: list[tuple[str, ...]] = [
        ("id", "agency", "roles", "scopes", "created", "expires", "revoked", "known by", "value", "label")
    ]
    for one in in_transaction(lambda tx: client_certificates.listed(tx, agency_code=agency)):
        scopes = "-" if one.scopes is None else ",".join(one.scopes)
        times = map(_said, (one.created_at, one.expires_at, one.revoked_at))
        rows.append(
            (str(one.id), one.agency_code, ",".join(one.roles), scopes, *times, one.known_by, one.value, one.label)
        )
    print_columns(rows)


def end_certificate(certificate_id: UUID) -> None:
    """Have a certificate count no more, from the very next request on."""
    in_transaction(lambda tx: revoke_certificate(tx, certificate_id))
    print(f"{certificate_id}: dicabut / revoked")


def list_subjects(agency: Agency = None) -> None:
    """List who has called by tokens of the outside issuer, under the ids that the audit knows them by."""
    rows: list[tuple[str, ...]] = [("id", "agency", "first seen", "revoked", "issuer", "subject")]
    for one in in_transaction(lambda tx: token_subjects.listed(tx, agency_code=agency)):
        times = map(_said, (one.first_seen_at, one.revoked_at))
        rows.append((str(one.id), one.agency_code, *times, one.issuer, one.subject))
    print_columns(rows)


def end_subject(subject_id: UUID) -> None:
    """Have no token of a subject count any more, whatever its issuer says."""
    in_transaction(lambda tx: revoke_subject(tx, subject_id))
    print(f"{subject_id}: dicabut / revoked")


def _certificate(file: Path | None, fingerprint: str | None, subject: str | None) -> tuple[Presented, datetime | None]:
    if sum(one is not None for one in (file, fingerprint, subject)) != 1:
        raise CannotGoOn(
            "pilih satu: --file, --fingerprint atau --subject", "give one of --file, --fingerprint and --subject"
        )
    try:
        if fingerprint is not None:
            return Presented(KnownBy.FINGERPRINT, read_fingerprint(fingerprint)), None
        if subject is not None:
            return Presented(KnownBy.SUBJECT, read_subject(subject)), None
        found, end = read_pem((file or Path()).read_text("utf-8"))
        return Presented(KnownBy.FINGERPRINT, found), end
    except (CertificateUnreadable, OSError, UnicodeDecodeError):
        raise CannotGoOn("sertifikat tidak dapat dibaca", "the certificate cannot be read") from None


def _said(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else "-"
