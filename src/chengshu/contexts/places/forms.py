"""Forms of the pages of places."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.identity.api import Account
from chengshu.contexts.places.models import CellCharge, Division


class SplitForm(forms.Form):
    """Into how many cells to split one."""

    parts = forms.IntegerField(label=_("拆成几个网格"), min_value=2, max_value=20, initial=2)
    reason = forms.CharField(label=_("理由"), max_length=400)


class MergeForm(forms.Form):
    """Which cells to merge."""

    cells = forms.CharField(
        label=_("要合并的网格"), max_length=400, help_text=_("同一片区内相邻网格的编号，用空格隔开")
    )
    reason = forms.CharField(label=_("理由"), max_length=400)

    def clean_cells(self) -> list[str]:
        """Take the codes apart."""
        return str(self.cleaned_data["cells"]).replace("，", " ").replace(",", " ").split()


class ChargeForm(forms.Form):
    """Whom to put in charge of a cell."""

    account = forms.ModelChoiceField(label=_("网格员"), queryset=Account.objects.none())
    post = forms.ChoiceField(label=_("岗位"), choices=CellCharge.Post.choices)
    first_day = forms.DateField(label=_("开始日期"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        workers = Account.objects.filter(role=Account.Role.GRID_WORKER, is_active=True, left_on=None)
        self.fields["account"].queryset = workers.order_by("display_name")  # type: ignore[attr-defined]


class RefuseForm(forms.Form):
    """Why a proposed address is not taken in."""

    note = forms.CharField(label=_("不予入库的理由"), max_length=400)


class ConfirmForm(forms.Form):
    """The parts of a proposed address, to be checked before it is taken in."""

    community_code = forms.ChoiceField(label=_("社区"))
    road = forms.CharField(label=_("道路"), required=False, max_length=60)
    number = forms.CharField(label=_("门牌号"), required=False, max_length=20)
    estate = forms.CharField(label=_("小区或园区"), required=False, max_length=60)
    building = forms.CharField(label=_("楼栋"), required=False, max_length=20)
    unit = forms.CharField(label=_("单元"), required=False, max_length=20)
    floor = forms.CharField(label=_("楼层"), required=False, max_length=20)
    room = forms.CharField(label=_("房间"), required=False, max_length=20)
    place = forms.CharField(label=_("地名"), required=False, max_length=80)
    building_code = forms.CharField(
        label=_("所在楼栋编码"), required=False, max_length=17, help_text=_("新增房间时填写；新增楼栋时留空")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        streets = dict(Division.objects.filter(level="street").values_list("code", "name"))
        communities = Division.objects.filter(level="community").order_by("code")
        self.fields["community_code"].choices = [  # type: ignore[attr-defined]
            (row.code, f"{streets.get(row.parent, '')} {row.name}") for row in communities
        ]
