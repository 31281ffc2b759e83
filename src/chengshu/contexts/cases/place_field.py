"""A field that holds a place code: the person types an address, chooses among what the library offers, the code is kept.

What is typed and not yet placed travels as text, so a draft loses nothing; a code never has to be known by anybody.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from chengshu.contexts.cases.domain import FieldView
from chengshu.contexts.places import api as places
from chengshu.kernel.codes import is_place_code

# Said by whoever finds their address in no line of the list.
NONE_OF_THEM = "-"


def holds_place(view: FieldView) -> bool:
    """Whether a field holds the code of a place in the address library."""
    named = view.format == "place_code" or view.element.endswith(".place_code")
    return view.kind == "text" and named


def place_text(code: Any) -> str:
    """Return the address of a place code; what is no code, or of no place, stays as it is."""
    found = places.place(str(code)) if is_place_code(str(code)) else None
    return found.text if found is not None else str(code)


class PlaceWidget(forms.Widget):
    """An address as text, and below it what the library has for it. The second press of a button sends the choice."""

    template_name = "cases/widgets/place.html"
    needs_htmx = True

    def offer(self, text: str) -> places.Offer:
        """Return what the library has for an address; looked up once for each page."""
        known: dict[str, places.Offer] = self.__dict__.setdefault("_offers", {})
        if text not in known:
            known[text] = places.offer_places(text)
        return known[text]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str | None:
        """Return the chosen code, or the address as long as none is chosen; an address typed anew counts as unplaced."""
        chosen, typed = data.get(name), data.get(f"{name}-address")
        if typed is None:
            return None if chosen is None else str(chosen).strip()
        text = " ".join(str(typed).split())[:200]
        if not text or not chosen or text != data.get(f"{name}-for"):
            return text
        return "" if chosen == NONE_OF_THEM else str(chosen)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether neither the code nor the address was sent."""
        return name not in data and f"{name}-address" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template draws: the address, the places to choose from, the one that is chosen."""
        context = super().get_context(name, value, attrs)
        text = str(value or "")
        kept = places.place(text) if is_place_code(text) else None
        offer = places.Offer(found=kept, places=[kept]) if kept is not None else self.offer(text)
        context["widget"].update(
            address=kept.text if kept is not None else text,
            offer=offer,
            none=NONE_OF_THEM if text and not self.is_required and offer.found is None else "",
            wrong=(attrs or {}).get("aria-invalid", ""),
        )
        return context


class PlaceField(forms.Field):
    """The code of a place in use; an address that can only be one place is taken at once."""

    widget: PlaceWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=PlaceWidget(), **kwargs)

    def clean(self, value: Any) -> str | None:
        """Return the code; where the address may be several places or none, say what to do."""
        text = str(value or "").strip()
        super().clean(text)
        if not text:
            return None
        if is_place_code(text):
            return self._known(text)
        offer = self.widget.offer(text)
        if offer.found is not None:
            return offer.found.place_code
        if offer.places:
            raise forms.ValidationError(_("请从下面列出的地址中选一个"))
        steps = _("请核对路名和门牌号，或者请网格员把这个地址提为新地址。")
        if not self.required:
            steps = _("请核对路名和门牌号；地址没有错的，选“都不是”继续，由工作人员核定。")
        raise forms.ValidationError(
            " ".join(filter(None, [f"{offer.reason}。" if offer.reason else "", steps]))
        )

    def _known(self, code: str) -> str:
        found = places.place(code)
        if found is None or found.state != "active":
            raise forms.ValidationError(_("地址库中没有这个地址，请输入地址后重新选择"))
        return code
