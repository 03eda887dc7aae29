"""What a mail says, to whom it is written, and to whoever sees the screen that it is announced on."""

from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from app.domain.channel import channel_of, faults_of_mailbox
from app.domain.events import EventType
from app.domain.letter import Letter, Words, letter_of, reference_of
from app.domain.registry import EASTERN
from app.domain.wording import Text

HANDOFF = "0195a1b2-0000-7000-8000-00001a2b3c4d"
SENT_AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
WORDS = Words(EASTERN, Text("Penampungan sementara", "Temporary shelter"), Text("Darurat", "Emergency"))
DATA = {
    "handoff_id": HANDOFF,
    "referral_id": str(uuid7()),
    "service_type": "temporary_shelter",
    "urgency": "emergency",
    "respond_by": "2026-03-02T09:30:00+00:00",
    "state": "offered",
    "url": f"https://lintas.example/v1/handoffs/{HANDOFF}",
}


def written(type_: str = EventType.HANDOFF_OFFERED, **data: Any) -> Letter:
    return letter_of(
        type_,
        {**DATA, **data},
        WORDS,
        to="kantor@uptd.example",
        delivery_id=uuid7(),
        public_url="https://lintas.example",
        sent_at=SENT_AT,
    )


def test_an_offer_names_reference_service_urgency_time_and_link_in_both_languages() -> None:
    lines = written().text.splitlines()

    assert "Rujukan / Reference: 1A2B-3C4D" in lines
    assert "Layanan / Service: Penampungan sementara / Temporary shelter" in lines
    assert "Kedaruratan / Urgency: Darurat / Emergency" in lines
    assert "Jawab sebelum / Respond by: 2026-03-02 18:30 WIT" in lines
    assert f"Buka / Open: https://lintas.example/console/handoffs/{HANDOFF}" in lines


def test_what_a_locked_screen_shows_says_nothing_of_what_it_is_about() -> None:
    letter = written()

    shown = f"{letter.subject} {letter.text[:130]}".lower()
    for word in ("penampungan", "shelter", "darurat", "korban", "victim", "kekerasan", "violence", "uptd"):
        assert word not in shown


def test_an_emergency_that_asks_for_something_asks_in_its_subject_to_be_opened_now() -> None:
    assert written().subject == "Lintas: mohon dibuka sekarang / please open now (1A2B-3C4D)"
    assert written(urgency="urgent").subject == "Lintas: menunggu jawaban / an answer is awaited (1A2B-3C4D)"
    assert written(EventType.HANDOFF_STARTED).subject == "Lintas: kabar baru / news (1A2B-3C4D)"


@pytest.mark.parametrize("type_", [*EventType, "a.type_of_later"])
def test_no_mail_says_more_than_it_has_to_and_every_kind_of_news_can_be_mailed(type_: str) -> None:
    planted = {name: f"Kenari-{name}" for name in ("agency", "reason", "document", "clause", "duty", "name", "because")}

    letter = written(type_, **planted, challenge="code")

    assert "Kenari" not in letter.subject + letter.text
    assert ("code" in letter.text.split()) is (type_ == EventType.ENDPOINT_VERIFICATION)
    assert "_by" not in letter.text.replace("endpoint_id", "")
    assert letter.subject.isprintable()


def test_a_challenge_says_what_to_do_with_it_or_without() -> None:
    letter = written(EventType.ENDPOINT_VERIFICATION, endpoint_id="e1", challenge="abc")

    assert "Kode / Code: abc" in letter.text
    assert "POST https://lintas.example/v1/endpoints/e1/verify" in letter.text
    assert "bila bukan Anda, abaikan" in letter.text


def test_a_reference_is_the_end_of_the_id_by_which_no_two_of_an_office_are_mixed_up() -> None:
    assert reference_of(HANDOFF) == "1A2B-3C4D"


@pytest.mark.parametrize(
    "url",
    [
        "mailto:kantor@uptd.example",
        "mailto:k@a.id",
        "MAILTO:siaga-24.jam+lintas@uptd-ppa.ppu.go.id",
    ],
)
def test_a_plain_address_is_one_to_mail_to(url: str) -> None:
    assert not list(faults_of_mailbox(url))
    assert channel_of(url) == "mail"


@pytest.mark.parametrize(
    "url",
    [
        "mailto:",
        "mailto:kantor",
        "mailto:kantor@localhost",
        "mailto:kantor@127.0.0.1",
        "mailto:kantor@[127.0.0.1]",
        "mailto:a@uptd.example,b@uptd.example",
        "mailto:a@uptd.example;b@uptd.example",
        "mailto:a@uptd.example?bcc=b@uptd.example",
        "mailto:a%0d%0aBcc:b@uptd.example",
        "mailto:a@b@uptd.example",
        "mailto:<a@uptd.example>",
        "mailto:Kantor<a@uptd.example>",
        'mailto:"a b"@uptd.example',
        "mailto:.a@uptd.example",
        "mailto:a.@uptd.example",
        "mailto:a..b@uptd.example",
        "mailto:-a@uptd.example",
        "mailto:a@-uptd.example",
        "mailto:a@uptd..example",
        "mailto:a@uptd.example.",
        "mailto:kantór@uptd.example",
        "mailto:a@uptd.exämple",
        "mailto:a\r\nBcc:b@uptd.example",
        "mailto:a@uptd.example\n",
        f"mailto:{'a' * 65}@uptd.example",
        f"mailto:a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 60}.example",
    ],
)
def test_what_is_not_one_plain_address_is_none(url: str) -> None:
    assert [fault.code for fault in faults_of_mailbox(url)] == ["mail_address"]
