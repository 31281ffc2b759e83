"""Mobile, zero-visit and one-certificate rates over the published items: what people could have, beside what they had.

Definitions (also on the page): the whole is every published item; an element that is not stated counts against the rate.

- mobile: the item can be applied for online, and so on a phone: our pages are the same there. The national element set has
  no mobile element of its own.
- zero_visit: the stated number of visits is 0.
- one_certificate: of the items for natural persons, those whose list of materials holds nothing but identity documents. An
  empty list is one that is not stated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.core.cache import cache

from chengshu.contexts.hall.items.models import Item
from chengshu.contexts.hall.ratings.statistics import Rates

IDENTITY = re.compile(r"身份证|身份证明|身份证件|居民户口簿|户口簿|户口本|社会保障卡|社保卡")
# Papers that name an identity document and are another paper: a copy of somebody else's, a power of attorney.
OTHER = re.compile(r"委托|授权|法定代表人|法人代表|营业执照|经办人|结婚证|出生")
KEPT_SECONDS = 300


def possible_rates() -> dict[str, Rates]:
    """Return the rates over all published items; counted anew every five minutes."""
    found: dict[str, Rates] | None = cache.get("hall-possible-rates")
    if found is None:
        found = _counted()
        cache.set("hall-possible-rates", found, KEPT_SECONDS)
    return found


def _counted() -> dict[str, Rates]:
    whole = mobile = zero = personal = one = 0
    rows = Item.objects.filter(state=Item.State.PUBLISHED).values_list("online", "visits", "body")
    for online, visits, body in rows.iterator(chunk_size=500):
        whole += 1
        mobile += bool(online)
        zero += visits == 0
        if "自然人" in body.get("audiences", ()):
            personal += 1
            one += one_certificate(body.get("materials", ()))
    return {
        "mobile": Rates(mobile, whole),
        "zero_visit": Rates(zero, whole),
        "one_certificate": Rates(one, personal),
    }


def one_certificate(materials: Iterable[str]) -> bool:
    """Return whether an identity document is all that the list of materials asks for."""
    listed = list(materials)
    return bool(listed) and all(IDENTITY.search(each) and not OTHER.search(each) for each in listed)
