"""Gapless numbers: the next one is taken in the caller's transaction, and given back when that fails."""

from __future__ import annotations

from django.db.models import F

from chengshu.contexts.certificates.models import NumberSeries


def next_number(series: str, year: int) -> int:
    """Return the next number of a series in a year, from 1; whoever else wants one waits for this transaction."""
    NumberSeries.objects.get_or_create(series=series, year=year)
    # The update takes the row's lock on PostgreSQL; SQLite has one writer anyway.
    NumberSeries.objects.filter(series=series, year=year).update(last=F("last") + 1)
    return int(NumberSeries.objects.values_list("last", flat=True).get(series=series, year=year))
