"""The registry changes: an agency is added or changed, a service becomes available or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.caller import Caller, Role
from app.domain.errors import (
    Fault,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RegistryInvalid,
    RoleRequired,
)
from app.domain.registry import too_narrow
from app.domain.versions import Expected
from app.reference.load import parse_registry
from app.storage import audit, registry
from app.workflows.desk import Desk


@dataclass(frozen=True, slots=True)
class Kept:
    """An agency as it stands now, at which version of the registry, and whether it is new there."""

    body: Mapping[str, Any]
    version: int
    created: bool = False


async def put_agency(desk: Desk, caller: Caller, code: str, body: Mapping[str, Any], expected: Expected | None) -> Kept:
    """Keep an agency as it is said to be; a change of one that is there needs the version it was made from."""
    written = {"code": code, **{name: value for name, value in body.items() if value is not None}}
    _check(desk, written)
    version = await registry.open_for_change(desk.tx)
    known = await registry.agency(desk.tx, code)
    if known is not None:
        if expected is None:
            raise PreconditionRequired
        expected.check(known[1])
    elif expected is not None:
        # A change of what is not there, whichever version it was made from.
        raise PreconditionFailed
    await registry.put_agency(desk.tx, written, version=version, now=desk.now)
    await _record(desk, caller, "agency.put", code)
    return Kept(written, version, created=known is None)


async def put_service(
    desk: Desk, caller: Caller, code: str, service_type: str, service: Mapping[str, Any], expected: Expected
) -> Kept:
    """Say what an agency offers of one service; its own agency may, and an operator."""
    if Role.OPERATOR not in caller.roles and caller.agency_code != code:
        raise RoleRequired(Role.OPERATOR)
    version = await registry.open_for_change(desk.tx)
    known = await registry.agency(desk.tx, code)
    if known is None:
        raise NotFound("agency")
    expected.check(known[1])
    offered = {name: value for name, value in service.items() if value is not None}
    written = {**known[0], "services": {**known[0]["services"], service_type: offered}}
    _check(desk, written, below=f"/services/{service_type}")
    await registry.put_agency(desk.tx, written, version=version, now=desk.now)
    await _record(desk, caller, "service.put", code)
    return Kept(written, version)


def _check(desk: Desk, written: Mapping[str, Any], below: str = "") -> None:
    place = f"/agencies/0{below}"
    try:
        read = parse_registry({"agencies": [written]}, desk.reference.vocabulary, desk.reference.regions)
    except RegistryInvalid as invalid:
        raise InvalidInput(
            tuple(Fault(one.pointer.removeprefix(place), one.code, one.message) for one in invalid.faults)
        ) from None
    if told := too_narrow(read.agencies[str(written["code"])]):
        said = "where a place is secret, home and area are a regency or wider: narrower would tell where it is"
        raise InvalidInput(tuple(Fault(_within(pointer, below), "secret_place_too_narrow", said) for pointer in told))
    part_of = written.get("part_of")
    if part_of is not None and part_of not in desk.reference.registry.agencies:
        raise InvalidInput((Fault("/part_of", "unknown_agency", "no agency of the registry has this code"),))


def _within(pointer: str, below: str) -> str:
    """Point at what a caller wrote; what lies outside it is the flag's doing."""
    return pointer.removeprefix(below) if pointer.startswith(below) else "/secret_location"


async def _record(desk: Desk, caller: Caller, action: str, code: str) -> None:
    await audit.record(desk.tx, caller, action, subject="agency", subject_id=code, request_id=desk.request_id)
