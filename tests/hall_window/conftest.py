from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def empty_buckets():
    """No test is throttled by another."""
    cache.clear()
