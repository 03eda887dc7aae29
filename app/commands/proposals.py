"""`lintas proposals list | withdraw`: what waits for a second person. Confirming takes a key, over HTTP."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands.documents import desk_of
from app.commands.running import CannotGoOn, in_transaction, print_columns
from app.domain.errors import ProposalEnded
from app.domain.proposals import Hands, ProposalState
from app.storage import proposals
from app.workflows.decide_proposal import withdraw_proposal

group = typer.Typer(no_args_is_help=True, help="Usulan yang perlu orang kedua / what waits for a second person.")


@group.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Juga yang berakhir / also what has ended.")] = False,
) -> None:
    """List the proposals that wait: what is asked for, by whom, and until when."""
    state = None if every else ProposalState.PENDING
    rows: list[tuple[str, ...]] = [("id", "kind", "agency", "subject", "state", "proposed by", "expires")]
    for one in in_transaction(lambda tx: proposals.listed(tx, state=state)):
        expires = one.expires_at.isoformat(timespec="seconds")
        by = _said(one.proposed_by)
        rows.append((str(one.id), one.kind, one.agency_code or "-", one.subject, one.state, by, expires))
    print_columns(rows)


@group.command()
def withdraw(proposal_id: UUID) -> None:
    """Take back what the command line proposed."""

    async def take_back(tx: AsyncSession) -> None:
        await withdraw_proposal(await desk_of(tx), None, proposal_id)

    try:
        in_transaction(take_back)
    except ProposalEnded as error:
        raise CannotGoOn(
            f"usulan ini sudah berakhir: {error.current_state}", f"this proposal has ended: {error.current_state}"
        ) from None
    print(f"{proposal_id}: ditarik / withdrawn")


def _said(hands: Hands | None) -> str:
    if hands is None:
        return "-"
    return f"{hands.agency_code} ({hands.person or hands.key_id})"
