"""How an agency that the sandbox plays behaves: towards webhooks, and towards what is offered to it."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.domain.handoff import DeclineReason

A_YEAR = 366 * 24 * 60
Minutes = Annotated[int, Field(ge=0, le=A_YEAR, strict=True)]


class PlayedBy(StrEnum):
    """Who answers for an agency."""

    SANDBOX = "sandbox"
    YOU = "you"


class ToOffers(StrEnum):
    """What an agency does with a handoff that is offered to it."""

    ACCEPT = "accept"
    DECLINE = "decline"
    SILENT = "silent"


class ToWebhooks(StrEnum):
    """How an agency's server answers a post."""

    TAKE = "take"
    ANSWER_500 = "answer_500"
    ANSWER_410 = "answer_410"
    TIME_OUT = "time_out"
    HANG = "hang"


class Behaviour(BaseModel):
    """How an agency behaves, from the next webhook on."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    played_by: PlayedBy = Field(
        PlayedBy.SANDBOX,
        description="`you`: the sandbox has no endpoint for the agency and answers nothing; your system does.",
    )
    offers: ToOffers = Field(ToOffers.ACCEPT, description="What it does with an offer. `silent`: nothing, ever.")
    after_minutes: Minutes = Field(0, description="How long after the webhook, by the sandbox's clock.")
    decline_reason: DeclineReason = Field(
        DeclineReason.NO_CAPACITY, description="The reason it gives where it declines."
    )
    completes_after_minutes: Minutes | None = Field(
        None, description="How long after it accepted it starts and completes; null is never."
    )
    webhooks: ToWebhooks = Field(
        ToWebhooks.TAKE,
        description=(
            "`take`: 204. `answer_500`, `answer_410`: that status, and nothing is taken. `time_out`: it takes the"
            " news and answers 204 too late, after Lintas has given up. `hang`: it takes nothing and never answers."
        ),
    )
    times: Annotated[int, Field(ge=1, le=1000, strict=True)] | None = Field(
        None, description="So many posts are answered so, and the next ones taken; null is all, until you change it."
    )

    def towards(self, post: int) -> ToWebhooks:
        """Say how the post of this number is answered; the first is 1."""
        return self.webhooks if self.times is None or post <= self.times else ToWebhooks.TAKE

    @property
    def answers_after(self) -> timedelta:
        """How long an offer waits for its answer."""
        return timedelta(minutes=self.after_minutes)
