"""The database role that the service runs as can do all that a person may ask for."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.rights import HoldReason, RestrictionReason
from app.workflows.desk import Desk
from app.workflows.erase_referral import erase_referral
from app.workflows.export_referral import export_referral
from app.workflows.hold_referral import hold_referral, lift_hold
from app.workflows.keep_retention import Worker, keep_retention
from app.workflows.restrict_referral import lift_restriction, restrict_referral
from tests.audit.test_run_role import as_owner, run_sessions
from tests.rights.officers import CANARY, a_finished_case, rows
from tests.workflows.conftest import Service

__all__ = ["as_owner", "run_sessions"]


async def test_the_run_role_restricts_holds_exports_and_erases(
    service: Service, run_sessions: async_sessionmaker[AsyncSession]
) -> None:
    asked, kept = UUID((await a_finished_case(service))["id"]), await a_finished_case(service)

    async with run_sessions.begin() as tx:
        reference = await service.keeper.current(tx)
        desk = Desk(tx, service.clock(), reference, service.keeper, service.terms, service.key_ring)
        await restrict_referral(desk, None, asked, RestrictionReason.PERSON_ASKED)
        await lift_restriction(desk, None, asked)
        _, hold = await hold_referral(desk, None, asked, HoldReason.COMPLAINT)
        await lift_hold(desk, None, hold.id, "ended")
        held = await export_referral(desk, None, asked)
        await erase_referral(desk, None, asked)
    service.clock.advance(timedelta(days=20 * 366))
    worker = Worker(run_sessions, service.keeper, service.key_ring, service.terms, service.clock)

    assert held["personal"]["victim.name"] == CANARY
    assert await keep_retention(worker) == 1
    assert len(await rows(service, "SELECT 1 FROM referrals WHERE erased_at IS NOT NULL")) == len({asked, kept["id"]})
