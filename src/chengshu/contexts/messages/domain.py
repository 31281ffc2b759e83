"""When a public notice is open, and what an attempt to send means. No Django here."""

from __future__ import annotations

import datetime as dt
import smtplib

from chengshu.kernel.terms import legal_day

OPEN, ENDED = "open", "ended"


def notice_state(until: dt.date | None, ended_at: dt.datetime | None, now: dt.datetime) -> str:
    """Return whether a notice is open: until the end of its last day in China, or until it is ended."""
    if ended_at is not None and ended_at <= now:
        return ENDED
    if until is not None and legal_day(now) > until:
        return ENDED
    return OPEN


def surely_not_sent(error: BaseException) -> bool:
    """Return whether a mail server has refused a message for certain; a broken connection leaves it in doubt."""
    return isinstance(
        error,
        smtplib.SMTPResponseException
        | smtplib.SMTPRecipientsRefused
        | smtplib.SMTPSenderRefused
        | smtplib.SMTPNotSupportedError,
    )


def lasting(error: BaseException) -> bool:
    """Return whether trying again is in vain: the server refused for good (5xx)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _text in error.recipients.values()]
        return bool(codes) and all(code >= 500 for code in codes)
    code = getattr(error, "smtp_code", 0)
    return isinstance(code, int) and code >= 500
