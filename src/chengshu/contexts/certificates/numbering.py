"""Gapless numbers: the next one is taken in the caller's transaction, and given back when that fails."""

from __future__ import annotations

from django.db import connection

from chengshu.contexts.certificates.models import NumberSeries

_NEXT = "UPDATE certificates_numberseries SET last = last + 1 WHERE series = %s AND year = %s RETURNING last"


def next_number(series: str, year: int) -> int:
    """Return the next number of a series in a year, from 1; whoever else wants one waits for this transaction."""
    while True:
        # The update takes the row's lock on PostgreSQL; SQLite has one writer anyway.
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, (series, year))
            found = cursor.fetchone()
        if found is not None:
            return int(found[0])
        NumberSeries.objects.get_or_create(series=series, year=year)
