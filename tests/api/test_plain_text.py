"""Names and stories hold what can be read, and the same name is the same text however it was typed."""

import httpx
import pytest

from app.api.intake_types import Line, Story, Text
from app.api.route import v1_router
from app.api.validation import Body
from app.domain.caller import Role
from tests.conftest import ClientFactory, KeyFactory
from tests.workflows.conftest import PPU, Service, a_referral

router = v1_router("texts")


class Written(Body):
    """Text of every kind."""

    line: Line = "-"
    text: Text = "-"
    story: Story = "-"


@router.post("/texts")
async def write(body: Written) -> dict[str, str]:
    """Say it again."""
    return body.model_dump()


@pytest.fixture
async def client(a_client: ClientFactory, a_key: KeyFactory) -> httpx.AsyncClient:
    return await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Siti\u0007", "control_character"),
        ("Siti\u0085Aminah", "control_character"),
        ("Siti\u007f", "control_character"),
        ("Siti \u202egnp.exe", "control_character"),
        ("\u2066Siti\u2069", "control_character"),
        ("\u200b\u200d\ufeff", "nothing_visible"),
        ("\u00ad", "nothing_visible"),
        ("\u3164", "nothing_visible"),
        ("\u0301", "nothing_visible"),
        (" \u00a0 ", "too_short"),
    ],
)
async def test_what_nobody_can_read_is_refused_in_every_text(client: httpx.AsyncClient, text: str, code: str) -> None:
    for field in ("line", "text", "story"):
        answer = await client.post("/v1/texts", json={field: text})

        assert answer.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(f"/{field}", code)]


async def test_a_line_has_no_breaks_and_a_text_may(client: httpx.AsyncClient) -> None:
    for broken in ("a\nb", "a\tb", "a\r\nb", "a\u2028b", "a\u2029b"):
        assert (await client.post("/v1/texts", json={"line": broken})).status_code == 422
    answer = await client.post("/v1/texts", json={"text": "satu\r\ndua\rtiga\n\tempat", "story": "a\u2028b"})
    assert answer.json()["text"] == "satu\ndua\ntiga\n\tempat"


async def test_names_of_every_script_are_taken_in_one_spelling(client: httpx.AsyncClient) -> None:
    for name in ("Sri Rahayu", "Nur\u2019aini", "Jose\u0301", "\u5f20\u4f1f", "\u0633\u064a\u062a\u064a", "\U0001f33a"):
        answer = await client.post("/v1/texts", json={"line": f"  {name} "})

        assert answer.status_code == 200, name
        assert answer.json()["line"] == name.replace("e\u0301", "\u00e9")


async def test_the_same_reference_in_another_spelling_is_the_same_reference(service: Service) -> None:
    first = await service.submit(a_referral(sender_reference="Kasus Jos\u00e9 7"))

    again = await service.call(PPU, "POST", "/referrals", json=a_referral(sender_reference=" Kasus Jose\u0301 7"))

    assert (again.status_code, again.json()["code"]) == (409, "duplicate_reference")
    assert again.json()["referral_id"] == first["id"]
