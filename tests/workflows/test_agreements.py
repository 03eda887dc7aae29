"""A document goes from draft to law over HTTP alone, and what was decided before stays as it was."""

import asyncio
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import text

from app.domain.caller import Role
from app.domain.canonical import canonical_bytes, digest
from app.storage import api_keys
from tests.workflows.agreements import (
    BALIKPAPAN,
    ID,
    OPERATOR,
    PROVINCE,
    SAMARINDA,
    a_clause,
    a_document,
    a_successor,
    act,
    decided,
    hurt_in_balikpapan,
    path_of,
    publish,
    put,
)
from tests.workflows.conftest import PPU, Service, a_referral, of

TOMORROW = date(2025, 3, 5)


async def test_a_third_agreement_goes_from_draft_to_a_routed_referral_over_http_alone(service: Service) -> None:
    before = await decided(service)

    drafted = await put(service, a_document())
    checked = await act(service, a_document(), "check")
    published = await act(service, a_document(), "publish")
    after = await decided(service)

    assert before == (PROVINCE, "baseline-national/cross-regency")
    assert drafted.json()["status"] == "draft"
    assert checked.json()["publishable"]
    assert published.json()["status"] == "published"
    assert published.json()["in_force"]
    assert after == (BALIKPAPAN, f"{ID}/legal-at-incident")


async def test_a_draft_binds_nobody(service: Service) -> None:
    await put(service, a_document())

    assert await decided(service) == (PROVINCE, "baseline-national/cross-regency")


async def test_a_published_version_is_shown_with_the_digest_of_its_canonical_text(service: Service) -> None:
    await publish(service, a_document())

    shown = await service.read(PPU, path_of(a_document()))

    assert shown["sha256"] == digest(canonical_bytes(shown["document"]))
    assert shown["published_at"] == "2025-03-04T01:00:00Z"
    assert shown["begins"] == "2024-12-31T16:00:00Z"


async def test_documents_are_listed_and_drafts_are_shown_to_operators_alone(service: Service) -> None:
    await put(service, a_document())

    everything = await service.read(OPERATOR, "/agreements")
    key = await _key_without_operator(service)
    seen = (await key.get("/v1/agreements")).json()
    refused = await key.get(f"/v1{path_of(a_document())}")

    assert [one["id"] for one in everything["items"]] == ["baseline-national", ID, "pks-kukar-ppu-2024"]
    assert [one["id"] for one in seen["items"]] == ["baseline-national", "pks-kukar-ppu-2024"]
    assert seen["items"][1]["in_force"] == 1
    assert refused.status_code == 404


async def _key_without_operator(service: Service) -> httpx.AsyncClient:
    client = await service.as_agency(SAMARINDA)
    secret = api_keys.new_secret((Role.SENDER,))
    async with service.sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=SAMARINDA, roles=(Role.SENDER,), label="", expires_at=None)
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


async def test_who_is_no_operator_can_neither_draft_nor_publish(service: Service) -> None:
    client = await _key_without_operator(service)

    drafted = await client.put(f"/v1{path_of(a_document())}", json=a_document())
    published = await client.post(f"/v1{path_of(a_document())}/publish")

    assert (drafted.status_code, published.status_code) == (403, 403)


async def test_a_draft_is_changed_only_by_who_has_seen_it(service: Service) -> None:
    drafted = await put(service, a_document())
    longer = a_document(a_clause(), a_clause("legal-later", rank=30))

    blind = await put(service, longer)
    seen = await put(service, longer, headers={"If-Match": drafted.headers["ETag"]})
    stale = await put(service, a_document(), headers={"If-Match": drafted.headers["ETag"]})
    stale_publish = await act(service, longer, "publish", headers={"If-Match": drafted.headers["ETag"]})
    published = await act(service, longer, "publish", headers={"If-Match": seen.headers["ETag"]})

    assert [one.status_code for one in (blind, seen, stale)] == [428, 200, 412]
    assert (stale_publish.status_code, published.status_code) == (412, 200)


async def test_two_who_draft_the_same_version_at_once_do_not_overwrite_each_other(service: Service) -> None:
    answers = await asyncio.gather(*(put(service, a_document()) for _ in range(4)))

    assert sorted(one.status_code for one in answers) == [200, 428, 428, 428]


async def test_a_draft_is_withdrawn_only_by_who_has_seen_it_and_leaves_its_number_free(service: Service) -> None:
    first = (await put(service, a_document())).headers["ETag"]
    path = path_of(a_document())

    blind = await service.call(OPERATOR, "DELETE", path)
    changed = (await put(service, a_document(), headers={"If-Match": first})).headers["ETag"]
    stale = await service.call(OPERATOR, "DELETE", path, headers={"If-Match": first})
    withdrawn = await service.call(OPERATOR, "DELETE", path, headers={"If-Match": changed})
    gone = await service.call(OPERATOR, "GET", path)
    twice = await service.call(OPERATOR, "DELETE", path, headers={"If-Match": changed})
    again = await put(service, a_document())

    assert [one.status_code for one in (blind, stale, withdrawn)] == [428, 412, 204]
    assert (gone.status_code, twice.status_code, again.status_code) == (404, 404, 200)
    assert withdrawn.content == b""


async def test_what_was_seen_of_a_withdrawn_draft_does_not_publish_another(service: Service) -> None:
    seen = (await put(service, a_document())).headers["ETag"]
    await service.call(OPERATOR, "DELETE", path_of(a_document()), headers={"If-Match": seen})
    other = a_document(a_clause(rank=7))
    await put(service, other)

    published = await act(service, other, "publish", headers={"If-Match": seen})

    assert published.status_code == 412


async def test_what_is_published_cannot_be_withdrawn_nor_a_draft_by_who_is_no_operator(service: Service) -> None:
    await publish(service, a_document())
    draft = a_successor(begins=date(2025, 3, 6))
    await put(service, draft)

    published = await service.call(OPERATOR, "DELETE", path_of(a_document()), headers={"If-Match": "*"})
    client = await _key_without_operator(service)
    by_another = await client.delete(f"/v1{path_of(draft)}", headers={"If-Match": "*"})

    assert (published.status_code, published.json()["code"]) == (409, "version_published")
    assert by_another.status_code == 403
    assert (await service.read(OPERATOR, path_of(a_document())))["status"] == "published"
    assert (await service.read(OPERATOR, path_of(draft)))["status"] == "draft"


async def test_several_agreements_of_one_precedence_live_side_by_side(service: Service) -> None:
    await publish(service, a_document())

    balikpapan = await decided(service)
    kukar = of(await service.submit(a_referral()))["decision"]

    assert balikpapan == (BALIKPAPAN, f"{ID}/legal-at-incident")
    assert kukar["document"] == "pks-kukar-ppu-2024"


async def test_equal_heads_of_equal_rank_are_not_ambiguous(service: Service) -> None:
    await publish(service, a_document())
    await publish(service, a_document(a_clause("the-same-again"), id="pks-lain-2025"))

    decision = of(await service.submit(hurt_in_balikpapan()))["decision"]

    assert (decision["agency"], decision["reason"], decision["warnings"]) == (BALIKPAPAN, None, [])


async def test_a_successor_closes_its_predecessor_where_it_begins(service: Service) -> None:
    await publish(service, a_document())
    await publish(service, a_successor(a_clause(basis=["current"]), begins=TOMORROW))

    today = await decided(service)
    service.clock.advance(timedelta(hours=14, minutes=59))
    last_minute = await decided(service)
    service.clock.advance(timedelta(minutes=1))
    midnight = await decided(service)

    assert [today[0], last_minute[0], midnight[0]] == [BALIKPAPAN, BALIKPAPAN, SAMARINDA]
    [listed] = [one for one in (await service.read(PPU, "/agreements"))["items"] if one["id"] == ID]
    assert [(one["version"], one["ends"], one["in_force"]) for one in listed["versions"]] == [
        (2, None, True),
        (1, "2025-03-04T16:00:00Z", False),
    ]


async def test_nothing_takes_effect_in_the_past_but_a_first_version(service: Service) -> None:
    await publish(service, a_document())
    late = a_successor(begins=date(2025, 3, 4))
    await put(service, late)

    refused = await act(service, late, "publish")

    assert refused.json()["code"] == "document_refused"
    assert [one["code"] for one in refused.json()["findings"]] == ["in_the_past"]
    assert (await service.read(PPU, path_of(a_document())))["ends"] is None


async def test_versions_are_published_one_after_the_other(service: Service) -> None:
    third = a_successor(begins=TOMORROW, version=3)
    await publish(service, a_document())
    await put(service, third)

    refused = await act(service, third, "publish")

    assert (refused.status_code, refused.json()["code"], refused.json()["next_version"]) == (409, "not_next_version", 2)


async def test_a_published_version_can_be_neither_put_nor_published_again(service: Service) -> None:
    await publish(service, a_document())

    again = await put(service, a_document())
    anyway = await put(service, a_document(), headers={"If-Match": "*"})
    twice = await act(service, a_document(), "publish")

    assert [one.json()["code"] for one in (again, anyway, twice)] == ["version_published"] * 3


async def test_a_published_row_cannot_be_changed_in_sql(service: Service) -> None:
    await publish(service, a_document())

    for attempt in (
        "UPDATE documents SET sha256 = 'x'",
        "UPDATE documents SET published_at = now()",
        "DELETE FROM documents",
    ):
        with pytest.raises(Exception, match="only ever added"):
            async with service.sessions.begin() as tx:
                await tx.execute(text(attempt))


async def test_publishing_and_drafting_are_audited(service: Service) -> None:
    await publish(service, a_document())

    async with service.sessions() as session:
        rows = await session.execute(
            text("SELECT action, agency_code, subject_id FROM audit WHERE subject = 'document' ORDER BY id")
        )
        seen = [tuple(row) for row in rows]

    assert seen == [("document.draft", OPERATOR, f"{ID}/1"), ("document.publish", OPERATOR, f"{ID}/1")]


async def test_withdrawing_is_audited(service: Service) -> None:
    seen = (await put(service, a_document())).headers["ETag"]
    await service.call(OPERATOR, "DELETE", path_of(a_document()), headers={"If-Match": seen})

    async with service.sessions() as session:
        rows = await session.execute(
            text("SELECT action, agency_code FROM audit WHERE subject_id = :id ORDER BY id"), {"id": f"{ID}/1"}
        )
        actions = [tuple(row) for row in rows]

    assert actions == [("document.draft", OPERATOR), ("document.withdraw", OPERATOR)]
