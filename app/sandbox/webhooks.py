"""The servers of the agencies that the sandbox plays: each takes posts, or does not, as it was told to behave."""

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.domain.errors import NotFound
from app.sandbox.behaviour import ToWebhooks

TOO_LATE = 2.0
"""Seconds that an answer comes after Lintas has given up waiting."""
NEVER = 60.0
"""Seconds for which nothing is answered, unless the other side leaves before: longer than anybody waits."""
STATUSES = {ToWebhooks.ANSWER_500: 500, ToWebhooks.ANSWER_410: 410}

router = APIRouter(include_in_schema=False)


@router.post("/agencies/{agency}/webhook")
async def take_webhook(agency: str, request: Request) -> Response:
    """Take a webhook as the agency's system would."""
    world = request.app.state.world
    news: Any = orjson.loads(await request.body())
    answer = await world.players.take(agency, news)
    if answer is None:
        raise NotFound("agency")
    if answer is ToWebhooks.TIME_OUT:
        await _wait(request, world.service.settings.webhook.total_timeout.total_seconds() + TOO_LATE)
    if answer is ToWebhooks.HANG:
        await _wait(request, NEVER)
    return Response(status_code=STATUSES.get(answer, 204))


async def _wait(request: Request, seconds: float) -> None:
    for _ in range(round(seconds * 5)):
        if await request.is_disconnected():
            return
        await asyncio.sleep(0.2)
