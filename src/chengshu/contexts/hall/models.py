"""The service hall: persistence only. Each part of the hall keeps its tables in its own sub-package."""

from chengshu.contexts.hall.archive.models import ArchiveAct, ArchivePackage
from chengshu.contexts.hall.citizen_code.models import CodeDevice, CodeEpoch, CodeReplay, CodeUse
from chengshu.contexts.hall.exports.models import Export
from chengshu.contexts.hall.hotline.models import (
    ContactLook,
    HotlineContact,
    HotlineRequest,
    Open311Intake,
    Open311Key,
)
from chengshu.contexts.hall.items.models import Item, ItemDraft, ItemFacet, ItemRevision, ItemVersion
from chengshu.contexts.hall.mydata.models import CaseOrigins, DataExport
from chengshu.contexts.hall.offers.models import Offer, OfferRun
from chengshu.contexts.hall.ratings.models import Rating, Service
from chengshu.contexts.hall.seconds.models import AutomaticDecision

__all__ = [
    "ArchiveAct",
    "ArchivePackage",
    "AutomaticDecision",
    "CaseOrigins",
    "CodeDevice",
    "CodeEpoch",
    "CodeReplay",
    "CodeUse",
    "ContactLook",
    "DataExport",
    "Export",
    "HotlineContact",
    "HotlineRequest",
    "Item",
    "ItemDraft",
    "ItemFacet",
    "ItemRevision",
    "ItemVersion",
    "Offer",
    "OfferRun",
    "Open311Intake",
    "Open311Key",
    "Rating",
    "Service",
]
