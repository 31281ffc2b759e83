"""Forms of the archive: search, and a reason for each act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

DAY = forms.DateInput(attrs={"type": "date"})


class SearchForm(forms.Form):
    """Which packages to list."""

    number = forms.CharField(label=_("档号或办件号"), required=False, max_length=40)
    pack = forms.ChoiceField(label=_("事项"), required=False)
    since = forms.DateField(label=_("办结自"), required=False, widget=DAY)
    until = forms.DateField(label=_("办结至"), required=False, widget=DAY)
    due = forms.BooleanField(label=_("只看保管期满的"), required=False)

    def __init__(self, *args: Any, packs: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pack"].choices = [("", _("全部")), *packs]  # type: ignore[attr-defined]


class ActForm(forms.Form):
    """What to do with a package, and why."""

    act = forms.ChoiceField(label=_("要做什么"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("用来做什么，依据什么"),
        min_length=6,
        max_length=300,
        help_text=_("会存证，有关当事人看得到谁利用过。"),
    )

    def __init__(self, *args: Any, acts: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["act"].choices = acts  # type: ignore[attr-defined]
        if len(acts) == 1:
            self.fields["act"].initial = acts[0][0]
