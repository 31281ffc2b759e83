"""The guide of a service that runs here shows how people rated it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from chengshu.contexts.hall.items import rated
from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.ratings.domain import Count
from hall_items.conftest import NOW


@pytest.mark.django_db
def test_nothing_is_shown_before_a_service_has_ended(items):
    assert rated.ratings_panel(Item.objects.get(pk="440306-market-0002"), NOW + timedelta(days=1)) is None
    assert rated.figures_of("food-permit").ended == 0


@pytest.mark.django_db
def test_the_figures_stand_beside_the_guide(items, monkeypatch):
    monkeypatch.setattr(
        rated, "figures_of", lambda pack: Count(ended=7, grades={1: 0, 2: 1, 3: 0, 4: 2, 5: 3})
    )
    page = Client().get("/hall/items/440306-market-0002").content.decode()
    assert "大家的评价" in page and "<dd>7</dd>" in page and "<dd>5</dd>" in page
