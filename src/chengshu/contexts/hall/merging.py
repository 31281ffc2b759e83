"""What the hall keeps about a subject goes along when a build merges that subject into another."""

from __future__ import annotations

from chengshu.contexts.hall.citizen_code.models import CodeReplay, CodeUse
from chengshu.contexts.hall.offers.models import Offer
from chengshu.contexts.hall.ratings.models import Service


def subject_merged(old: str, new: str) -> None:
    """Move offers, uses of the citizen code and services; of an offer that both had, the answered one stays."""
    known = {(offer.pack, offer.about): offer for offer in Offer.objects.filter(subject_id=new)}
    for offer in Offer.objects.filter(subject_id=old):
        twin = known.get((offer.pack, offer.about))
        if twin is not None:
            (twin if twin.state == Offer.State.OPEN else offer).delete()
    for model in (Offer, CodeUse, CodeReplay, Service):
        model.objects.filter(subject_id=old).update(subject_id=new)
