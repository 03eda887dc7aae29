"""Whether this process lives, is ready, and has started: for whoever runs it, and without a key.

The form is that of draft-inadarei-api-health-check-06 (application/health+json).
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from app.api.readying import Checks, Readying, Status, is_ready

router = APIRouter(prefix="/health", tags=["health"])


class HealthJson(JSONResponse):
    """An answer in the form for health."""

    media_type = "application/health+json"


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["pass"] = "pass"


class HealthCheck(BaseModel):
    """What was found of one thing: whether it is well, and where that can be measured, how it measures."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    status: Status
    componentType: Literal["component", "datastore", "system"]  # noqa: N815 - as the draft writes it
    observedValue: float | None = None  # noqa: N815
    observedUnit: Literal["ms", "s"] | None = None  # noqa: N815


class Readiness(BaseModel):
    """Whether requests can be served, and what stands in the way: `pass`, `warn` where something is amiss, `fail`."""

    status: Status
    checks: dict[str, list[HealthCheck]]


NOT_READY = {
    "model": Readiness,
    "content": {
        HealthJson.media_type: {
            "examples": {
                "database": {
                    "summary": "The database does not answer.",
                    "value": {
                        "status": "fail",
                        "checks": {"database": [{"status": "fail", "componentType": "datastore"}]},
                    },
                }
            }
        }
    },
}


async def readying(request: Request) -> Readying:
    """Give the one that looks."""
    found: Readying = request.app.state.readying
    return found


Looks = Annotated[Readying, Depends(readying)]


@router.get("/live", response_class=HealthJson)
async def check_liveness() -> Liveness:
    """Say that the process answers: its loop turns. If it does not, start it anew."""
    return Liveness()


@router.get(
    "/ready",
    response_class=HealthJson,
    response_model_exclude_none=True,
    responses={503: {**NOT_READY, "description": "Not ready"}},
)
async def check_readiness(looks: Looks, response: Response) -> Readiness:
    """Say whether requests can be served: database, migrations, key ring, feed, registry. If not, go elsewhere."""
    return _answer(await looks.checks(), response)


@router.get(
    "/startup",
    response_class=HealthJson,
    response_model_exclude_none=True,
    responses={503: {**NOT_READY, "description": "Not started yet"}},
)
async def check_startup(looks: Looks, response: Response) -> Readiness:
    """Say whether the process has been ready once."""
    if looks.started:
        return Readiness(status="pass", checks={})
    return _answer(await looks.checks(), response)


def _answer(checks: Checks, response: Response) -> Readiness:
    response.status_code = 200 if is_ready(checks) else 503
    return readiness_of(checks)


def readiness_of(checks: Checks) -> Readiness:
    """Write down what was found."""
    found = {check.status for check in checks.values()}
    return Readiness(
        status="fail" if "fail" in found else "warn" if "warn" in found else "pass",
        checks={
            name: [
                HealthCheck(
                    status=check.status,
                    componentType=check.component,
                    observedValue=check.value,
                    observedUnit=check.unit,
                )
            ]
            for name, check in checks.items()
        },
    )
