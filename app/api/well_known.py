"""The public keys that webhooks are signed with, for anybody, without a key of ours."""

import base64
import hashlib
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.problems import problem
from app.api.refusals import NoSuchPage, Unavailable
from app.domain.webhook import Scheme, raw_public_key
from app.storage import equipment
from app.storage.database import is_passing

FRESH_FOR = 300
"""Seconds for which a receiver may keep the keys; a rotation leaves the old key signing for longer."""

router = APIRouter(tags=["endpoints"])


class PublicKey(BaseModel):
    """An ed25519 key: in the form of Standard Webhooks, and as a JSON Web Key (RFC 8037)."""

    kid: UUID
    public_key: str = Field(examples=["whpk_..."])
    ends_at: datetime | None = Field(description="Until when it signs; null is the newest.")
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    use: Literal["sig"] = "sig"
    alg: Literal["EdDSA"] = "EdDSA"
    x: str


class PublicKeys(BaseModel):
    """The keys that sign the webhooks of one endpoint, the newest first: each signature is by one of them."""

    keys: list[PublicKey]


_TAG: dict[str, Any] = {"type": "string"}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            "ETag": {"description": "Names these keys; send it in If-None-Match.", "schema": _TAG},
            "Cache-Control": {"description": "For how long they may be kept.", "schema": {"type": "string"}},
        }
    },
    304: {"description": "They are as `If-None-Match` says.", "headers": {"ETag": {"schema": _TAG}}},
}
IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the keys that you have.",
    "schema": _TAG,
}


@router.get(
    "/.well-known/webhook-keys/{endpoint_id}",
    response_model=PublicKeys,
    responses=RESPONSES,
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
async def list_webhook_keys(endpoint_id: UUID, request: Request) -> Response:
    """List the public keys that sign the webhooks of an endpoint (`v1a`); 404 where none does.

    Each endpoint has keys of its own, so that nobody can pass on a webhook as if it were meant for another.
    """
    try:
        async with request.app.state.sessions.begin() as tx:
            signing = (await equipment.signing_secrets(tx, [endpoint_id])).get(endpoint_id, [])
    except Exception as error:
        if not is_passing(error):
            raise
        return problem(request.scope, Unavailable())
    found = [
        PublicKey(kid=one.id, public_key=one.public_key, ends_at=one.ends_at, x=_x(one.public_key))
        for one in signing
        if one.scheme == Scheme.ED25519 and one.public_key is not None
    ]
    if not found:
        return problem(request.scope, NoSuchPage())
    content = PublicKeys(keys=found).model_dump_json().encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={FRESH_FOR}", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def _x(public_key: str) -> str:
    return base64.urlsafe_b64encode(raw_public_key(public_key)).rstrip(b"=").decode()
