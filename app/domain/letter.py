"""The mail by which an agency hears of something: as thin as the webhook, and harmless on a phone that lies about.

Who sees a screen sees a subject and the first lines: neither says what the mail is about, nor of whom.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.event_texts import NEWS
from app.domain.events import EventType
from app.domain.registry import CENTRAL, EASTERN, WESTERN
from app.domain.vocabulary import Urgency
from app.domain.wording import Text

_PREFACE = (
    "Ada kabar di Lintas untuk lembaga Anda. Rincian hanya terbuka setelah masuk.\n"
    "Lintas has news for your agency. Details open after signing in only.\n"
)
_END = (
    "Surat ini dibuat otomatis; balasan tidak dibaca.\nThis mail was made by a machine; nobody reads an answer to it.\n"
)
_SUBJECTS: Mapping[str, str] = {
    "hurry": "Lintas: mohon dibuka sekarang / please open now",
    "answer": "Lintas: menunggu jawaban / an answer is awaited",
    "proof": "Lintas: konfirmasi alamat ini / confirm this address",
    "news": "Lintas: kabar baru / news",
}
_ABOUT_CASES = ("handoff.", "service_request.")
_ZONES: Mapping[str, str] = {WESTERN: "WIB", CENTRAL: "WITA", EASTERN: "WIT"}
_TEXTS: Mapping[str, Text] = {
    EventType.HANDOFF_OFFERED: Text(
        "Layanan ditawarkan; bila kepada lembaga Anda, jawab pada waktunya.",
        "A service is offered; if it is to your agency, answer in time.",
    ),
    EventType.SERVICE_REQUEST_NEEDS_COORDINATOR: Text(
        "Layanan menunggu keputusan orang.", "A service waits for a person."
    ),
    EventType.SERVICE_REQUEST_OVERDUE: Text(
        "Sesuatu terlambat atau perlu perhatian orang.", "Something is late, or needs a person."
    ),
    EventType.REFERRAL_CONFIRMATION_DUE: Text(
        "Sesuatu yang mendesak menunggu konfirmasi.", "Something urgent waits to be confirmed."
    ),
    EventType.ENDPOINT_VERIFICATION: Text(
        "Alamat ini didaftarkan untuk menerima kabar. Kembalikan kode di bawah; bila bukan Anda, abaikan surat ini.",
        "This address was registered to be sent news. Give the code back; if that was not you, do nothing.",
    ),
    EventType.ENDPOINT_CHANGED: Text(
        "Kabar lembaga Anda tidak lagi dikirim ke alamat ini. Bila bukan Anda, hubungi operator.",
        "Your agency's news is not sent to this address any more. If that was not you, tell the operator.",
    ),
    EventType.PROPOSAL_ENDED: Text("Usulan perubahan berakhir.", "A proposed change has ended."),
    EventType.KEY_EXPIRING: Text("Kunci segera berakhir.", "A key ends soon."),
    EventType.KEY_ROTATED: Text("Kunci diganti.", "A key was rotated."),
}
"""Where what the manual says of a kind of news names fields that a person does not see."""
_UNKNOWN = Text("Ada kabar baru.", "There is news.")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one address, ready to be sent."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    id: UUID
    """Of its delivery: what its Message-ID is made of, the same in each attempt."""
    sent_at: datetime
    emergency: bool = False
    """Whether it goes before others."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an agency calls what its mail is about, and where its clocks stand."""

    time_zone: str
    service: Text | None = None
    urgency: Text | None = None


def reference_of(id_: UUID | str) -> str:
    """Give the short name of a case's part, by which people find it: eight digits such as 1A2B-3C4D."""
    digits = UUID(str(id_)).hex[-8:].upper()
    return f"{digits[:4]}-{digits[4:]}"


def letter_of(
    type_: str,
    data: Mapping[str, Any],
    words: Words,
    *,
    to: str,
    delivery_id: UUID,
    public_url: str,
    sent_at: datetime,
) -> Letter:
    """Write the mail for a piece of news; `data` is what its webhook would carry, and most of it stays out."""
    about = _about(type_, data)
    subject = _subject(type_, data) + (f" ({reference_of(about)})" if about else "")
    lines = [_PREFACE, *_lines(type_, data, words, about, public_url), "", _END]
    emergency = data.get("urgency") == Urgency.EMERGENCY
    return Letter(to, subject, "\n".join(lines), delivery_id, sent_at, emergency)


def _about(type_: str, data: Mapping[str, Any]) -> str | None:
    kind = type_.partition(".")[0]
    named = data.get(f"{kind}_id") if kind in {"handoff", "service_request", "referral"} else None
    return str(named) if named else None


def _subject(type_: str, data: Mapping[str, Any]) -> str:
    if type_ == EventType.ENDPOINT_VERIFICATION:
        return _SUBJECTS["proof"]
    asks = type_ in {
        EventType.HANDOFF_OFFERED,
        EventType.HANDOFF_REMINDER,
        EventType.HANDOFF_CANCEL_REQUESTED,
        EventType.SERVICE_REQUEST_NEEDS_COORDINATOR,
        EventType.SERVICE_REQUEST_OVERDUE,
        EventType.REFERRAL_CONFIRMATION_DUE,
    }
    if asks and data.get("urgency") == Urgency.EMERGENCY:
        return _SUBJECTS["hurry"]
    return _SUBJECTS["answer" if asks else "news"]


def _lines(type_: str, data: Mapping[str, Any], words: Words, about: str | None, public_url: str) -> Iterator[str]:
    text = _TEXTS.get(type_) or (NEWS[EventType(type_)].what if type_ in _KNOWN else _UNKNOWN)
    yield text.id
    yield text.en
    yield ""
    if about is not None:
        yield f"Rujukan / Reference: {reference_of(about)}"
    if type_.startswith(_ABOUT_CASES):
        yield from _of_case(type_, data, words)
    if type_ == EventType.ENDPOINT_VERIFICATION:
        yield f"Kode / Code: {data.get('challenge', '')}"
        yield f"Kembalikan dengan / Give it back by: POST {public_url}/v1/endpoints/{data.get('endpoint_id')}/verify"
        return
    handoff = about if type_.startswith("handoff.") else None
    yield f"Buka / Open: {public_url}/console/handoffs/{handoff}" if handoff else f"Buka / Open: {public_url}/console"


def _of_case(type_: str, data: Mapping[str, Any], words: Words) -> Iterator[str]:
    if words.service is not None:
        yield f"Layanan / Service: {words.service.id} / {words.service.en}"
    if words.urgency is not None:
        yield f"Kedaruratan / Urgency: {words.urgency.id} / {words.urgency.en}"
    if type_ in {EventType.HANDOFF_OFFERED, EventType.HANDOFF_REMINDER} and data.get("respond_by"):
        yield f"Jawab sebelum / Respond by: {_moment(str(data['respond_by']), words.time_zone)}"
    if type_ == EventType.SERVICE_REQUEST_NEEDS_COORDINATOR and data.get("acknowledge_by"):
        yield f"Akui sebelum / Acknowledge by: {_moment(str(data['acknowledge_by']), words.time_zone)}"


def _moment(at: str, time_zone: str) -> str:
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(time_zone))
    return f"{local:%Y-%m-%d %H:%M} {_ZONES.get(time_zone, time_zone)}"


_KNOWN = frozenset(type_.value for type_ in EventType)
