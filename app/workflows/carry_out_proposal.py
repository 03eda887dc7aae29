"""What was proposed of an endpoint is done, as it was asked for."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from app.domain.caller import Caller
from app.domain.certificates import TlsGiven
from app.domain.errors import InvalidInput, NotFound
from app.domain.own_headers import OwnHeader
from app.domain.proposals import Proposal, ProposalKind
from app.domain.webhook import Scheme
from app.storage import delivery_history, endpoints, proposals
from app.workflows import equip_endpoint, manage_endpoint
from app.workflows.desk import Desk
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import Wanted
from app.workflows.propose_change import endpoint_of


async def carry_out(desk: Desk, caller: Caller, known: Proposal, end: Callable[[], Awaitable[Proposal]]) -> Proposal:
    """Do what a proposal asks for; `end` ends it, once the endpoint is locked and before anything is changed."""
    if known.agency_code is None:
        raise NotFound("proposal")
    endpoint_id = endpoint_of(known)
    # The referrals before the endpoints, as every story has it, so that nobody waits crosswise.
    moves = known.kind is ProposalKind.CHANGE_ENDPOINT
    offers = await delivery_history.lock_offers(desk.tx, known.agency_code) if moves else ()
    await endpoints.lock_with_idle(desk.tx, endpoint_id, agency_code=known.agency_code)
    secret = await proposals.secret_of(desk.tx, desk.key_ring, known.id)
    if known.kind is ProposalKind.REGISTER_ENDPOINT:
        ended = await end()
        carried = Carried(tuple(OwnHeader(*one) for one in secret["headers"]), TlsGiven(*secret["tls"]))
        read, faults = await equip_endpoint.read(desk.tx, carried)
        wanted = _wanted(known)
        manage_endpoint.check(wanted, desk.terms.reach, *faults)
        await manage_endpoint.add_endpoint(
            desk.tx,
            caller,
            endpoint_id,
            known.agency_code,
            wanted,
            signed_by=(Scheme(known.what["scheme"]), secret["secret"]),
            carried=read,
            key_ring=desk.key_ring,
            now=desk.now,
        )
        return ended
    endpoint = await endpoints.get(desk.tx, endpoint_id, agency_code=known.agency_code, lock=True)
    if endpoint is None:
        raise NotFound("endpoint")
    ended = await end()
    if known.kind is ProposalKind.CHANGE_ENDPOINT:
        wanted = _wanted(known)
        manage_endpoint.check(wanted, desk.terms.reach)
        await manage_endpoint.put_endpoint(
            desk.tx, caller, endpoint, wanted, offers=offers, key_ring=desk.key_ring, now=desk.now
        )
    elif known.kind is ProposalKind.ROTATE_SECRET:
        await equip_endpoint.sign_with(
            desk.tx,
            caller,
            endpoint,
            (Scheme(known.what["scheme"]), secret["secret"]),
            key_ring=desk.key_ring,
            old_valid_for=timedelta(seconds=known.what["old_valid_for_seconds"]),
        )
    else:
        given = TlsGiven(*secret["tls"]) if secret else TlsGiven()
        identity, faults = await equip_endpoint.read_tls(desk.tx, given)
        if faults:
            raise InvalidInput(faults)
        await equip_endpoint.show_identity(desk.tx, caller, endpoint, identity, key_ring=desk.key_ring)
    return ended


def _wanted(known: Proposal) -> Wanted:
    what = known.what
    types = what["event_types"]
    return Wanted(what["url"], None if types is None else tuple(types), what["max_in_flight"], what["max_per_minute"])
