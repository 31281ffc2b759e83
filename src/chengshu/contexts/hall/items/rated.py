"""How people rated a service that runs here, beside its guide: every service that ended counts, rated or not."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count
from django.utils.translation import gettext as _

from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.items.panels import ItemPanel, register
from chengshu.contexts.hall.ratings.domain import Count as Figures
from chengshu.contexts.hall.ratings.models import Rating
from chengshu.contexts.hall.ratings.statistics import ended


def ratings_panel(item: Item, now: dt.datetime) -> ItemPanel | None:
    """Return the ratings of the pack that runs an item; nothing before the first service has ended."""
    figures = figures_of(item.pack) if item.pack else Figures()
    if not figures.ended:
        return None
    lines = [(_("办结"), str(figures.ended)), (_("已评价"), str(figures.rated))]
    if figures.rated:
        lines += [(_("满意"), str(figures.good)), (_("不满意"), str(figures.bad))]
    return ItemPanel(_("大家的评价"), lines)


def figures_of(pack: str) -> Figures:
    """Return the figures of one pack; two queries."""
    figures = Figures(ended=ended().filter(pack=pack).count())
    rows = Rating.objects.filter(round=1, pack=pack).values("grade", "set_aside").annotate(n=Count("id"))
    for row in rows:
        if row["set_aside"]:
            figures.set_aside += row["n"]
        else:
            figures.grades[row["grade"]] += row["n"]
    return figures


register("ratings", ratings_panel)
