"""What is sealed opens in its own case alone, and every look at it is recorded."""

from sqlalchemy import text

from tests.workflows.conftest import Service


async def test_the_sealed_values_of_one_referral_do_not_open_in_another(service: Service) -> None:
    first, second = await service.submit(), await service.submit()
    async with service.sessions.begin() as tx:
        await tx.execute(
            text(
                "UPDATE sealed_fields AS moved SET sealed = other.sealed FROM sealed_fields AS other "
                "WHERE moved.referral_id = :first AND other.referral_id = :second AND moved.field = other.field"
            ),
            {"first": first["id"], "second": second["id"]},
        )

    answer = await service.call("dp3ap2kb-ppu", "GET", f"/referrals/{first['id']}")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"


async def test_every_look_at_personal_data_is_recorded_with_the_fields_that_were_shown(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]
    await service.act("uptd-ppa-ppu", handoff_id, "accept")

    await service.read("uptd-ppa-ppu", f"/handoffs/{handoff_id}")

    async with service.sessions.begin() as tx:
        looked = (
            await tx.execute(
                text("SELECT agency_code, fields FROM audit WHERE action = 'handoff.read' ORDER BY id DESC LIMIT 1")
            )
        ).one()
    assert tuple(looked) == ("uptd-ppa-ppu", ["victim.name"])
