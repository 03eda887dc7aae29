"""The clocks of consent: reminders before its end, its end, and the time in which a vital interest is confirmed."""

from datetime import datetime

from app.domain.calendar import halfway
from app.domain.case import Case
from app.domain.handoff import ReferralState
from app.domain.referral import CONFIRM_CLOCKS, CONSENT_CLOCKS, ClockKind
from app.workflows.desk import Desk


def watch_consent(desk: Desk, case: Case) -> None:
    """Let the clocks run that the consent of a case asks for now, in place of those that ran."""
    case.stop_clocks(case.referral.id, but=CONFIRM_CLOCKS)
    expires_at = case.consent.expires_at
    if expires_at is not None and case.facts.consent:
        case.start_clock(ClockKind.CONSENT_EXPIRES, expires_at)
        for moment in _reminders(desk, case, expires_at):
            case.start_clock(ClockKind.CONSENT_REMINDER, moment)
    watch_confirmation(desk, case)


def watch_confirmation(desk: Desk, case: Case) -> None:
    """Let the time run in which somebody must confirm what moves on the vital interest alone."""
    referral = case.referral
    vital = referral.confirmed_at is None and not case.consent.unconfirmed and case.on_vital_interest()
    if not vital and referral.confirm_by is None:
        return
    case.stop_clocks(referral.id, but=CONSENT_CLOCKS)
    if not vital:
        case.put_referral(confirm_by=None)
        return
    confirm_by = referral.confirm_by or desk.now + desk.terms.confirm_vital_interest
    case.put_referral(confirm_by=confirm_by)
    case.start_clock(ClockKind.CONFIRM_OVERDUE, confirm_by)
    half = confirm_by - desk.terms.confirm_vital_interest / 2
    if half > desk.now:
        case.start_clock(ClockKind.CONFIRM_REMINDER, half)


def _reminders(desk: Desk, case: Case, expires_at: datetime) -> list[datetime]:
    """List when the sender is reminded: some time ahead, or half-way where there is less time than that."""
    if case.referral.state is not ReferralState.OPEN:
        return []
    ahead = [moment for by in desk.terms.remind_of_expiry if (moment := expires_at - by) > desk.now]
    return ahead or [halfway(desk.now, expires_at)]
