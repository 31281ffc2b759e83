"""The service hall: persistence only. Each part of the hall keeps its tables in its own sub-package."""

from chengshu.contexts.hall.items.models import Item, ItemDraft, ItemFacet, ItemRevision, ItemVersion

__all__ = ["Item", "ItemDraft", "ItemFacet", "ItemRevision", "ItemVersion"]
