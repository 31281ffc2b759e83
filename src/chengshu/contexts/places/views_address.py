"""Pages of the address library: try an address, search, changes; retire, split and merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from chengshu.batch.address.model import ParsedAddress
from chengshu.batch.address.neighbours import neighbours
from chengshu.batch.address.parse import parse
from chengshu.contexts.identity.api import STAFF_ROLES, role_required
from chengshu.contexts.places import library, matching
from chengshu.contexts.places.domain import PlaceView
from chengshu.contexts.places.models import AddressProposal, Place, PlaceChange
from chengshu.contexts.places.offering import REASONS, neighbours_wanted

LONGEST = 300
PARTS = (
    ("province", gettext_noop("省")), ("city", gettext_noop("市")), ("district", gettext_noop("区县")),
    ("street", gettext_noop("街道")), ("community", gettext_noop("社区")), ("road", gettext_noop("道路")),
    ("number", gettext_noop("门牌号")), ("estate", gettext_noop("小区或园区")), ("building", gettext_noop("楼栋")),
    ("unit", gettext_noop("单元")), ("floor", gettext_noop("楼层")), ("room", gettext_noop("房间")),
    ("place", gettext_noop("地名")), ("division_code", gettext_noop("区划代码")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that was weighed, its score, and the score in percent for the meter."""

    place: PlaceView
    score: float

    @property
    def percent(self) -> int:
        """The score in percent."""
        return round(self.score * 100)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the matcher made of one address."""

    text: str
    parts: list[tuple[str, str, bool]]  # label, value, completed rather than written
    error: str | None
    found: PlaceView | None
    score: float | None
    level: str | None
    reason: str
    retired_code: str | None
    candidates: list[Candidate]
    looked_around: bool


@role_required(*STAFF_ROLES)
def home(request: HttpRequest) -> HttpResponse:
    """Try an address, search the library, see what changed last."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    find = request.GET.get("find", "").strip()[:60]
    rows = Paginator(search(find), 25).get_page(request.GET.get("page")) if find else None
    context = {
        "text": text,
        "trial": try_address(text) if text else None,
        "find": find,
        "page": rows,
        "found": [library.place_view(row) for row in rows] if rows is not None else [],
        "buildings": Place.objects.filter(room=None, state=Place.State.ACTIVE).count(),
        "rooms": Place.objects.exclude(room=None).filter(state=Place.State.ACTIVE).count(),
        "retired": Place.objects.filter(state=Place.State.RETIRED).count(),
        "waiting": AddressProposal.objects.filter(state=AddressProposal.State.OPEN).count(),
        "steward": request.user.role in ("steward", "operator"),  # type: ignore[union-attr]
    }
    return render(request, "places/addresses.html", context)


def try_address(text: str) -> Trial:
    """Take one address apart and match it; where nothing certain is found, look around."""
    code = matching.home_code()
    read = parse(text, home=code)
    known = matching.address_library()
    if known is None:
        return Trial(text, _parts(read), read.error, None, None, None, _("本区还没有地址库"), None, [], False)
    row = known.match_many([text], home=code).row(0, named=True)
    weighed = row["candidates"]
    looked_around = neighbours_wanted(row)
    if looked_around:
        weighed = neighbours(known, text, home=code)
    views = library.places(
        [each["place_code"] for each in weighed] + ([row["place_code"]] if row["place_code"] else [])
    )
    candidates = [
        Candidate(views[each["place_code"]], each["score"] or 0.0)
        for each in weighed
        if each["place_code"] in views
    ]
    reason = _(REASONS[row["reason"]]) if row["reason"] else ""
    return Trial(
        text, _parts(read), read.error, views.get(row["place_code"] or ""), row["score"], row["level"], reason,
        row["retired_code"], candidates, looked_around,
    )  # fmt: skip


def _parts(read: ParsedAddress) -> list[tuple[str, str, bool]]:
    return [
        (_(label), value, name in read.inferred) for name, label in PARTS if (value := getattr(read, name))
    ]


def search(words: str) -> QuerySet[Place]:
    """Buildings whose parts hold every word; a code finds itself and what lies in it."""
    rows = Place.objects.order_by("place_code")
    if words.isdigit() and len(words) >= 9:
        return rows.filter(place_code__startswith=words)
    rows = rows.filter(room=None)
    for word in words.split()[:6]:
        anywhere = Q()
        for name in ("street", "community", "road", "number", "estate", "building", "place"):
            anywhere |= Q(**{f"{name}__contains": word})
        rows = rows.filter(anywhere)
    return rows


@role_required(*STAFF_ROLES)
def changes(request: HttpRequest) -> HttpResponse:
    """List what changed in the library, newest first."""
    rows = PlaceChange.objects.select_related("actor").order_by("-id")
    page = Paginator(rows, 25).get_page(request.GET.get("page"))
    crumbs = [(_("地址库"), reverse("places:home")), (_("变更"), "")]
    return render(request, "places/address_changes.html", {"page": page, "breadcrumbs": crumbs})


class RetireForm(forms.Form):
    """Why an address goes out of use, and what stands for it."""

    replaced_by = forms.CharField(
        label=gettext_lazy("接替的编码"), required=False, max_length=400,
        help_text=gettext_lazy("没有接替的地址就留空；多个用空格隔开"),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=400)

    def clean_replaced_by(self) -> list[str]:
        """Take the codes apart."""
        return _words(self.cleaned_data["replaced_by"])


class SplitRoomForm(forms.Form):
    """Into which rooms one is split."""

    rooms = forms.CharField(
        label=gettext_lazy("拆成哪些房号"), max_length=400, help_text=gettext_lazy("如 501A 501B，用空格隔开")
    )
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=400)

    def clean_rooms(self) -> list[str]:
        """Take the numbers apart; two at least."""
        rooms = list(dict.fromkeys(_words(self.cleaned_data["rooms"])))
        if len(rooms) < 2:
            raise forms.ValidationError(_("至少写两个房号"))
        return rooms


class MergeRoomsForm(forms.Form):
    """Which rooms become one."""

    others = forms.CharField(
        label=gettext_lazy("并入的编码"), max_length=400, help_text=gettext_lazy("同一栋楼的房间，用空格隔开")
    )
    room = forms.CharField(label=gettext_lazy("合并后的房号"), max_length=20)
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=400)

    def clean_others(self) -> list[str]:
        """Take the codes apart."""
        return _words(self.cleaned_data["others"])


FORMS: dict[str, type[forms.Form]] = {"retire": RetireForm, "split": SplitRoomForm, "merge": MergeRoomsForm}
TITLES = {
    "retire": gettext_noop("停用地址"),
    "split": gettext_noop("拆分房间"),
    "merge": gettext_noop("合并房间"),
}


def _words(text: str) -> list[str]:
    return text.replace("，", " ").replace(",", " ").replace("、", " ").split()


@role_required("steward", "operator")
def change(request: HttpRequest, place_code: str, kind: str) -> HttpResponse:
    """Retire an address, split a room or merge rooms; the history stays."""
    found = library.place(place_code)
    if found is None or found.state != "active" or kind not in FORMS:
        raise Http404
    if kind != "retire" and len(place_code) != library.ROOM:
        raise Http404
    form = FORMS[kind](request.POST or None)
    if request.method == "POST" and form.is_valid():
        now_at = _carry_out(request, found, kind, form.cleaned_data)
        messages.success(request, _("已记录，原编码保留在沿革中"))
        return redirect("places:building", now_at)
    crumbs = [
        (_("地址库"), reverse("places:home")),
        (found.short_text, reverse("places:building", args=[place_code])),
    ]
    context = {
        "form": form,
        "place": found,
        "title": _(TITLES[kind]),
        "breadcrumbs": [*crumbs, (_(TITLES[kind]), "")],
    }
    return render(request, "places/address_change.html", context)


def _carry_out(request: HttpRequest, found: PlaceView, kind: str, data: dict[str, Any]) -> str:
    """Do it; return the code whose page shows the outcome."""
    who: Any = request.user
    act = {"actor": who, "on": timezone.localdate(), "now": timezone.now(), "reason": data["reason"]}
    if kind == "retire":
        library.retire_address(found.place_code, replaced_by=data["replaced_by"], **act)
        return found.place_code
    if kind == "split":
        library.split_address(found.place_code, [{"room": room} for room in data["rooms"]], **act)
        return found.place_code
    codes = [found.place_code, *data["others"]]
    return library.merge_addresses(codes, {"room": data["room"]}, **act)
