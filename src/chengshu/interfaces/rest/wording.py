"""What several calls say alike in the API's description: what counts as text, and what only the state of things refuses.

A description promises which requests are well formed. Where a well-formed one may still be refused by what stands in the
records (a pack's form, a colleague's name, the bytes of a file), the call says so with ``refused``.
"""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Header, Path

# No NUL, which PostgreSQL does not keep.
TEXT = r"^[^\x00]*$"
_SEEN = r"[^\s\x00-\x1f]"
# At least so much that can be seen, whatever blanks stand around it.
SAID = rf"^[^\x00]*{_SEEN}[^\x00]*$"
TWO_SEEN = rf"^[^\x00]*{_SEEN}[^\x00]*{_SEEN}[^\x00]*$"
SIX_LONG = rf"^[^\x00]*{_SEEN}[^\x00]{{4,}}{_SEEN}[^\x00]*$"
VERSION = r'^(W/)?"?[0-9]{1,9}"?$'
COMMAND = r"^[a-z][a-z0-9_-]{0,49}$"
KEY = r"^[\x21-\x7e]+$"


def refused(what: str, **answers: Any) -> dict[str, Any]:
    """Return what a call adds to its description when a well-formed request may be refused by what it finds."""
    problem = {
        "description": what,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return {"responses": {"422": problem, **answers}}


Key = Annotated[str, Header(..., alias="Idempotency-Key", min_length=1, max_length=80, pattern=KEY)]
Number = Annotated[int, Path(..., ge=1, le=2**53)]
PackName = Annotated[str, Path(..., pattern=r"^[a-z][a-z0-9-]{0,59}$")]
