"""A mail goes to the operator's mail server over TLS, and what comes of it is known by a code alone."""

import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from app.delivery.mail import MailServer, Security, message_of, open_mail
from app.delivery.post import Deadlines
from app.delivery.resolver import Found
from app.domain.letter import Letter
from app.domain.retry import Answer, Detail, Phase, Verdict, verdict
from tests.delivery.certificates import Authority
from tests.delivery.mailboxes import PASSWORD, SENDER, USERNAME, a_mailbox, mailing
from tests.delivery.world import SHORT, until

OFFICE = "kantor@uptd.example"


def a_letter(to: str = OFFICE, *, emergency: bool = False) -> Letter:
    sent_at = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
    return Letter(to, "Lintas: kabar baru / news", "Ada kabar.\n.\nBuka / Open: x\n", uuid7(), sent_at, emergency)


@pytest.mark.parametrize("security", list(Security))
async def test_a_mail_arrives_whole_with_one_recipient_and_over_tls_unless_that_was_given_up(
    tmp_path: Path, security: Security
) -> None:
    letter = a_letter()

    async with a_mailbox(security) as box, mailing(box, tmp_path, security) as mail:
        answer = await mail(letter)

    assert answer == Answer(status=250)
    (message,) = box.messages
    assert (message["From"], message["To"]) == (f"Lintas <{SENDER}>", OFFICE)
    assert message["Message-ID"] == f"<{letter.id}@lembaga.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == letter.text
    assert "Reply-To" not in message
    assert box.recipients == [[OFFICE]]
    assert box.secured == [security is not Security.NONE]
    assert box.greeted_as == {"lembaga.example"}


async def test_every_attempt_of_a_mail_has_the_same_message_id(tmp_path: Path) -> None:
    letter = a_letter()

    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        await mail(letter)
        await mail(letter)
        await mail(a_letter())

    first, second, other = (message["Message-ID"] for message in box.messages)
    assert first == second != other


async def test_one_connection_carries_several_mails_also_after_one_was_refused(tmp_path: Path) -> None:
    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        box.at_recipient = lambda to: "550 5.1.1 who" if to.startswith("nobody") else "250 ok"
        answers = [await mail(a_letter(to)) for to in (OFFICE, "nobody@uptd.example", OFFICE)]

        assert [answer.status for answer in answers] == [250, 550, 250]
        assert box.connections == 1


async def test_no_more_connections_are_open_at_once_than_the_operator_allows(tmp_path: Path) -> None:
    async with a_mailbox() as box, mailing(box, tmp_path, connections=2) as mail:
        answers = await asyncio.gather(*(mail(a_letter()) for _ in range(12)))

        assert {answer.status for answer in answers} == {250}
        assert box.connections == 2


async def test_a_mail_that_finds_no_free_connection_in_time_blames_nobody(tmp_path: Path) -> None:
    async with (
        a_mailbox() as box,
        mailing(box, tmp_path, connections=1, deadlines=Deadlines(total=1.5, connect=1.0)) as mail,
    ):
        box.hold = asyncio.Event()
        first = asyncio.create_task(mail(a_letter()))
        waiting = asyncio.create_task(mail(a_letter()))

        assert await waiting == Answer(failed=Phase.INTERNAL, detail=Detail.MAIL_SERVER_BUSY)
        box.hold.set()
        assert (await first).status == 250


async def test_an_emergency_does_not_wait_behind_the_mails_that_do(tmp_path: Path) -> None:
    async with a_mailbox() as box, mailing(box, tmp_path, connections=1) as mail:
        box.hold = asyncio.Event()
        others = [asyncio.create_task(mail(a_letter())) for _ in range(5)]
        await until(lambda: box.held == 1)
        box.holds_no_more = True

        assert (await mail(a_letter(emergency=True))).status == 250
        box.hold.set()
        assert {(await one).status for one in others} == {250}


async def test_a_connection_that_the_server_closed_meanwhile_costs_no_attempt(tmp_path: Path) -> None:
    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        await mail(a_letter())
        box.hang_up()

        assert (await mail(a_letter())).status == 250
        box.says_goodbye = True
        assert (await mail(a_letter())).status == 250
        assert box.connections == 3


async def mailing_answer(tmp_path: Path, *, at_recipient: str | None = None, at_data: str | None = None) -> Answer:
    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        if at_recipient is not None:
            box.at_recipient = lambda _: at_recipient
        if at_data is not None:
            box.at_data = lambda: at_data
        return await mail(a_letter())


@pytest.mark.parametrize(
    ("said", "detail", "meaning"),
    [
        ("550 5.1.1 no such user", Detail.RECIPIENT_UNKNOWN, Verdict.GONE),
        ("550 5.1.10 takes no mail", Detail.RECIPIENT_UNKNOWN, Verdict.GONE),
        ("551 5.1.6 moved", Detail.RECIPIENT_UNKNOWN, Verdict.GONE),
        ("550 5.2.1 disabled", Detail.RECIPIENT_UNKNOWN, Verdict.GONE),
        ("450 4.1.1 greylisted", Detail.RECIPIENT_REFUSED, Verdict.RETRY),
        ("450 5.1.1 of two minds", Detail.RECIPIENT_REFUSED, Verdict.RETRY),
        ("550 relay denied", Detail.RECIPIENT_REFUSED, Verdict.RETRY),
        ("554 5.7.1 listed as a spammer", Detail.RECIPIENT_REFUSED, Verdict.RETRY),
        ("550 5.1.11 beyond the list", Detail.RECIPIENT_REFUSED, Verdict.RETRY),
        ("552 5.2.2 over quota", Detail.MAILBOX_FULL, Verdict.RETRY),
        ("452 4.2.2 over quota", Detail.MAILBOX_FULL, Verdict.RETRY),
    ],
)
async def test_only_a_server_that_says_expressly_that_nobody_is_there_ends_an_address(
    tmp_path: Path, said: str, detail: Detail, meaning: Verdict
) -> None:
    answer = await mailing_answer(tmp_path, at_recipient=said)

    assert answer == Answer(status=int(said[:3]), detail=detail)
    assert verdict(answer) is meaning


@pytest.mark.parametrize("said", ["554 5.6.0 not liked", "451 4.3.0 later", "421 4.3.2 going down"])
async def test_a_mail_that_is_not_taken_is_tried_again(tmp_path: Path, said: str) -> None:
    answer = await mailing_answer(tmp_path, at_data=said)

    assert answer == Answer(status=int(said[:3]), detail=Detail.MAIL_REFUSED)
    assert verdict(answer) is Verdict.RETRY


async def test_a_name_and_password_go_to_a_server_that_asks_for_them(tmp_path: Path) -> None:
    async with a_mailbox(asks_for_login=True) as box:
        async with mailing(box, tmp_path, username=USERNAME, password=PASSWORD) as mail:
            assert (await mail(a_letter())).status == 250
        async with mailing(box, tmp_path, username=USERNAME, password="wrong") as mail:
            assert await mail(a_letter()) == Answer(status=535, detail=Detail.LOGIN_REFUSED)


async def test_nothing_is_said_to_a_server_that_cannot_prove_who_it_is(tmp_path: Path) -> None:
    for security in (Security.STARTTLS, Security.IMPLICIT):
        async with (
            a_mailbox(security) as box,
            mailing(box, tmp_path, security, authority=Authority("another")) as mail,
        ):
            assert await mail(a_letter()) == Answer(failed=Phase.TLS, detail=Detail.UNKNOWN_ISSUER)
            assert not box.taken


async def test_nothing_goes_out_in_the_clear_where_a_server_offers_no_starttls(tmp_path: Path) -> None:
    async with a_mailbox(offers_tls=False) as box, mailing(box, tmp_path) as mail:
        assert await mail(a_letter()) == Answer(failed=Phase.TLS, detail=Detail.TLS_NOT_OFFERED)
        assert not box.taken


async def test_a_server_that_is_not_there_is_a_connection_refused(tmp_path: Path) -> None:
    async with a_mailbox() as box:
        pass

    async with mailing(box, tmp_path) as mail:
        assert await mail(a_letter()) == Answer(failed=Phase.CONNECT, detail=Detail.REFUSED)


async def test_a_mail_server_whose_name_nobody_knows_is_a_failure_of_its_name() -> None:
    def unknown(_host: str, _port: int) -> Found:
        raise socket.gaierror(socket.EAI_NONAME, "kanari")

    server = MailServer("mail.lembaga.example", 25, Security.NONE, SENDER)
    async with open_mail(server, deadlines=SHORT, look_up=unknown) as mail:
        assert await mail(a_letter()) == Answer(failed=Phase.DNS, detail=Detail.NAME_UNRESOLVED)


async def talking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lines: dict[bytes, bytes]) -> None:
    """Speak by a list of what is answered to what; what is not in it is answered nothing, and empty hangs up."""
    writer.write(lines[b""])
    while line := await reader.readline():
        answer = lines.get(line[:4].strip().upper())
        if answer == b"":
            break
        if answer is not None:
            writer.write(answer)
    writer.close()


GREETING = {b"": b"220 here\r\n", b"EHLO": b"250 here\r\n", b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n"}


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ({b"": b""}, Answer(failed=Phase.CONNECT, detail=Detail.TIMEOUT)),
        ({b"": b"HTTP/1.1 400 Bad Request\r\n"}, Answer(failed=Phase.ANSWER, detail=Detail.NOT_SMTP)),
        ({b"": b"554 no\r\n"}, Answer(status=554, detail=Detail.MAIL_REFUSED)),
        (GREETING, Answer(failed=Phase.TIMEOUT)),
        ({**GREETING, b"RCPT": b""}, Answer(failed=Phase.ANSWER, detail=Detail.CLOSED)),
        (
            {**GREETING, b"DATA": b"250 taken before it was sent\r\n"},
            Answer(failed=Phase.ANSWER, detail=Detail.NOT_SMTP),
        ),
        ({**GREETING, b"MAIL": b"553 5.7.1 not yours\r\n"}, Answer(status=553, detail=Detail.SENDER_REFUSED)),
    ],
)
async def test_whatever_a_server_does_the_mail_has_an_outcome_in_time(
    lines: dict[bytes, bytes], answer: Answer
) -> None:
    server = await asyncio.start_server(lambda reader, writer: talking(reader, writer, lines), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async with open_mail(MailServer("127.0.0.1", port, Security.NONE, SENDER), deadlines=SHORT) as mail:
        assert await mail(a_letter()) == answer

    server.close()


def test_a_header_cannot_be_smuggled_in() -> None:
    with pytest.raises(ValueError, match="Header"):
        message_of(
            Letter(OFFICE, "news\r\nBcc: all@uptd.example", "", uuid7(), datetime(2026, 1, 1, tzinfo=UTC)), SENDER
        )
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        message_of(a_letter("a@b.example\r\nBcc: all@uptd.example"), SENDER)
