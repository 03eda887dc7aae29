import pytest

from app.domain.own_headers import OwnHeader, faults_of


@pytest.mark.parametrize(
    "name",
    ["Authorization", "X-Api-Key", "x-tenant", "Cookie", "A", "X" * 64, "Traceparent", "CF-Access-Client-Id"],
)
def test_an_agency_may_set_its_own(name: str) -> None:
    assert list(faults_of([OwnHeader(name, "Basic a:b==")])) == []


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Transfer-Encoding", "connection", "Keep-Alive", "TE", "Trailer", "Upgrade"),
        *("webhook-id", "Webhook-Signature", "WEBHOOK-TIMESTAMP", "Content-Type", "Content-Encoding", "Expect"),
        *("Proxy-Authorization", "proxy-connection", "User-Agent", "Accept-Encoding", "Via", "Forwarded"),
        *("X-Forwarded-For", "Metadata-Flavor", "X-aws-ec2-metadata-token", "Date"),
    ],
)
def test_what_frames_the_request_or_is_ours_is_reserved(name: str) -> None:
    assert [(fault.pointer, fault.code) for fault in faults_of([OwnHeader(name, "1")])] == [
        ("/headers/0/name", "header_reserved")
    ]


@pytest.mark.parametrize(
    "name", ["", " ", "X Y", "X:Y", "X\r\nEvil", "X\n", "-X", "1X", "X_Y", "É", "X\x00", "X" * 65, "X-Üñ"]
)
def test_a_name_that_may_read_as_another_is_none(name: str) -> None:
    assert [fault.code for fault in faults_of([OwnHeader(name, "1")])] == ["header_name"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        " kanari",
        "kanari ",
        "a\r\nEvil: 1",
        "kanari\n",
        "\nkanari",
        "a\x00b",
        "a\tb",
        "é",
        "\u2028",
        "a\x7f",
        "x" * 2001,
    ],
)
def test_a_value_that_may_read_as_more_than_itself_is_none(value: str) -> None:
    found = list(faults_of([OwnHeader("X-A", value)]))

    assert [(fault.pointer, fault.code) for fault in found] == [("/headers/0/value", "header_value")]
    assert not value.strip() or value not in str(found)


def test_headers_are_few_short_and_each_there_once() -> None:
    assert [fault.code for fault in faults_of([OwnHeader(f"X-{n}", "1") for n in range(11)])] == ["too_many"]
    assert [fault.code for fault in faults_of([OwnHeader(f"X-{n}", "1" * 2000) for n in range(4)])] == [
        "headers_too_long"
    ]
    assert [fault.pointer for fault in faults_of([OwnHeader("X-A", "1"), OwnHeader("x-a", "2")])] == ["/headers/1/name"]
