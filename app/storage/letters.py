"""What a mail calls the things it is about: the words of the code sets in force, and the clocks of its agency."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.letter import Words
from app.domain.registry import time_zone_of
from app.domain.wording import Text
from app.storage.tables import agencies, code_sets, endpoints


async def words_for(session: AsyncSession, endpoint_id: UUID, data: Mapping[str, Any]) -> Words:
    """Give the words for a piece of news to an endpoint's agency; `data` is what its webhook would carry."""
    body = await session.scalar(
        select(agencies.c.body)
        .join(endpoints, endpoints.c.agency_code == agencies.c.code)
        .where(endpoints.c.id == endpoint_id)
    )
    agency: Mapping[str, Any] = body or {}
    newest = select(code_sets.c.body).order_by(code_sets.c.version.desc()).limit(1).subquery()
    terms = (
        await session.execute(select(newest.c.body["service_types"].label("services"), newest.c.body["urgencies"]))
    ).one_or_none()
    services, urgencies = terms or ((), ())
    return Words(
        time_zone=agency.get("time_zone") or time_zone_of(agency.get("region", "")),
        service=_named(services or (), data.get("service_type")),
        urgency=_named(urgencies or (), data.get("urgency")),
    )


def _named(terms: Iterable[Mapping[str, Any]], code: object) -> Text | None:
    """Give what a code is called; a code that the newest edition has no more is left out, not shown as it is."""
    return next((Text(term["id"], term["en"]) for term in terms if term.get("code") == code), None)
