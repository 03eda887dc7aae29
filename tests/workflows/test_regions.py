"""The regions over HTTP, and a newer edition of them beside decisions that were made."""

from dataclasses import replace
from datetime import timedelta

from app.domain.regions import Region
from app.reference.load import load_regions
from app.workflows.import_regions import Imported, import_regions
from tests.workflows.conftest import PPU, Service, a_referral, of

SAMBOJA = "64.02.13"


def without_samboja() -> list[Region]:
    """The shipped edition without one district and its villages, and with another name for a regency."""
    return [
        replace(region, name="Kabupaten Penajam") if region.code == "64.09" else region
        for region in load_regions().current
        if not (region.code + ".").startswith(SAMBOJA + ".")
    ]


async def imported(service: Service, edition: list[Region], *, dry_run: bool = False) -> Imported:
    async with service.sessions.begin() as tx:
        return await import_regions(tx, edition, service.clock(), dry_run=dry_run)


async def found(service: Service, q: str) -> list[str]:
    return [one["code"] for one in (await service.read(PPU, f"/reference/regions?q={q}"))["items"]]


async def test_a_region_is_found_by_the_name_that_people_use(service: Service) -> None:
    assert await found(service, "KUKAR") == ["64.02"]
    assert await found(service, "kutai kertanegara") == ["64.02"]
    assert (await found(service, "Kab. Penajam"))[0] == "64.09"


async def test_a_search_is_read_page_by_page_in_its_order(service: Service) -> None:
    whole = await found(service, "sungai&limit=200")

    pages, path = [], "/reference/regions?q=sungai&limit=7"
    after = ""
    while True:
        page = await service.read(PPU, path + after)
        pages += [one["code"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert len(whole) > 14
    assert pages == whole


async def test_a_newer_edition_says_what_it_changes_and_whom_that_touches(service: Service) -> None:
    told = await imported(service, without_samboja())

    assert [(before.code, after.name) for before, after in told.changes.renamed] == [("64.09", "Kabupaten Penajam")]
    assert told.changes.retired[0].code == SAMBOJA
    assert ("pks-kukar-ppu-2024 v1", ("64.09",)) in [(one.name, one.codes) for one in told.documents]
    assert "uptd-ppa-ppu" in [one.name for one in told.agencies]


async def test_a_dry_run_changes_nothing(service: Service) -> None:
    before = await service.read(PPU, "/reference/regions?parent=64")

    told = await imported(service, without_samboja(), dry_run=True)

    assert not told.changes.is_nothing
    assert await service.read(PPU, "/reference/regions?parent=64") == before


async def test_a_retired_region_is_no_longer_found_and_what_was_decided_with_it_stays_valid(service: Service) -> None:
    there = {"incident": SAMBOJA, "domicile": SAMBOJA, "current": SAMBOJA}
    referral = await service.submit(a_referral(locations=there))
    decision_id = of(referral)["decision"]["id"]

    await imported(service, without_samboja())
    await service.after(timedelta(minutes=1))

    assert SAMBOJA not in await found(service, "samboja")
    replay = await service.call(PPU, "POST", f"/decisions/{decision_id}/replay")
    assert replay.json()["agrees"], replay.text
    again = await service.submit(a_referral(locations=there))
    assert of(again)["handoff"]["agency"] == of(referral)["handoff"]["agency"]


async def test_the_next_edition_may_list_it_again(service: Service) -> None:
    await imported(service, without_samboja())

    told = await imported(service, list(load_regions().current))

    assert SAMBOJA in [region.code for region in told.changes.listed_again]
    assert SAMBOJA in await found(service, "samboja")
    assert (await imported(service, list(load_regions().current))).changes.is_nothing
