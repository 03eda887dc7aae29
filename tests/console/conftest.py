"""The console over HTTP, as a browser asks for it: the real app, no browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sqlalchemy import select

from app.api.application import build
from app.console.console import Console
from app.console.pages.everything import ROUTERS as PAGES
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.main import ROUTERS
from app.storage.console_sessions import SessionTerms
from app.storage.tables import audit, token_subjects
from app.workflows.sign_in import offer_link
from tests.workflows.conftest import RECEIVER, Service, service

__all__ = ["service"]

AT = "https://lintas.test"
FORM = re.compile(r'<form[^>]*?action="(?P<action>[^"]*)"[^>]*>(?P<inside>.*?)</form>', re.DOTALL)
FIELD = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


@dataclass(slots=True)
class Browser:
    """What a person does: opens pages, and sends the forms that they hold."""

    client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def open(self, path: str) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self.client.get(path, headers=self.headers)

    async def send(self, page: httpx.Response, action: str, **fields: Any) -> httpx.Response:
        """Send a page's form of an action with these fields, `__` for a dot, and its hidden ones."""
        said = {name.replace("__", "."): value for name, value in fields.items()}
        return await self.post(action, hidden(page, action) | said)

    async def post(self, action: str, fields: dict[str, Any], **headers: str) -> httpx.Response:
        """Post fields as one of the console's own pages would."""
        own = {"Sec-Fetch-Site": "same-origin", "Origin": "null"} | headers
        return await self.client.post(action, data=fields, headers=self.headers | own)

    async def fields(self, **fields: str) -> dict[str, str]:
        """Give the fields of a form of this session, with the hidden ones that every form has."""
        return hidden(await self.open("/console/handoffs"), "/console/sign-out") | fields

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Go where an answer leads."""
        assert answer.status_code == 303, answer.text
        return await self.open(answer.headers["location"])


def hidden(page: httpx.Response, action: str) -> dict[str, str]:
    """Give the hidden fields of a page's form."""
    found = [one["inside"] for one in FORM.finditer(page.text) if unescape(one["action"]) == action]
    assert found, f"the page has no form for {action}"
    inputs = [dict(ATTRIBUTE.findall(one)) for one in FIELD.findall(found[0])]
    return {one["name"]: unescape(one["value"]) for one in inputs if one.get("type") == "hidden"}


SignIn = Callable[..., Awaitable[Browser]]


@dataclass(slots=True)
class House:
    """The console of a service, its clock for sessions, and a way in."""

    service: Service
    api: FastAPI
    clock: SettableClock
    stack: AsyncExitStack

    async def browser(self, *, language: str = "id", address: str = "127.0.0.1") -> Browser:
        """Give a browser that is signed in nowhere."""
        transport = httpx.ASGITransport(app=self.api, raise_app_exceptions=False, client=(address, 1))
        client = httpx.AsyncClient(transport=transport, base_url=AT, headers={"Accept-Language": language})
        return Browser(await self.stack.enter_async_context(client))

    async def link(self, agency: str = RECEIVER, *roles: Role, name: str = "Ibu Contoh") -> str:
        """Make a link as the operator does, and give its path."""
        async with self.service.sessions.begin() as tx:
            link = await offer_link(
                tx, agency_code=agency, roles=roles or (Role.RECEIVER,), name=name, now=self.clock()
            )
        return f"/console/sign-in/link/{link}"

    async def who_did(self, action: str) -> list[str]:
        """Name the persons that the audit has for an action."""
        async with self.service.sessions.begin() as tx:
            found = await tx.execute(
                select(token_subjects.c.subject)
                .join(audit, audit.c.key_id == token_subjects.c.id)
                .where(audit.c.action == action)
            )
            return list(found.scalars())

    async def signed_in(
        self, agency: str = RECEIVER, *roles: Role, name: str = "Ibu Contoh", language: str = "id"
    ) -> Browser:
        """Give a browser in which a person of an agency is signed in."""
        browser = await self.browser(language=language)
        link = await self.link(agency, *roles, name=name)
        answer = await browser.send(await browser.open(link), link)
        assert answer.status_code == 303, answer.text
        return browser


def a_console(clock: SettableClock, **more: Any) -> Console:
    """The console of a trial, whose sessions live by a clock of the test's."""
    return Console(
        **{
            "real_clock": clock,
            "sessions": SessionTerms(idle=timedelta(minutes=30), longest=timedelta(hours=8)),
            "leave_to": "https://harmless.example/",
            "links": True,
            **more,
        }
    )


def serve(service: Service, console: Console, *more: APIRouter) -> FastAPI:
    """Serve the API and the console, and more pages of it."""
    api = build(
        (*ROUTERS, *more, *PAGES),
        sessions=service.sessions,
        key_ring=service.key_ring,
        reference=service.keeper,
        clock=service.clock,
        terms=service.terms,
    )
    api.state.console = console
    return api


@pytest.fixture
async def house(service: Service) -> AsyncIterator[House]:
    """The console of a trial."""
    clock = SettableClock(service.clock())
    async with AsyncExitStack() as stack:
        yield House(service, serve(service, a_console(clock)), clock, stack)
