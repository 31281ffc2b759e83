"""The moment at which these tests take place."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
