"""Pages of the catalogue, open to everyone: data elements, sources, the four lists. They show no values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from chengshu.contexts.catalogue import api
from chengshu.contexts.catalogue.models import Dataset, Element, Version
from chengshu.contexts.identity.api import departments, public_page
from chengshu.kernel.spreadsheet import csv_lines

PAGE = 50
CLASSES = {
    "person": gettext_lazy("个人"),
    "organisation": gettext_lazy("组织"),
    "premises": gettext_lazy("房屋"),
    "facility": gettext_lazy("设施"),
    "place": gettext_lazy("地址与区划"),
    "matter": gettext_lazy("办理事务"),
    "system": gettext_lazy("系统"),
}
GRADES = {
    1: gettext_lazy("1 级 一般"),
    2: gettext_lazy("2 级 内部"),
    3: gettext_lazy("3 级 敏感"),
    4: gettext_lazy("4 级 核心"),
}
PRIVACIES = {
    "none": gettext_lazy("不含个人信息"),
    "personal": gettext_lazy("个人信息"),
    "sensitive": gettext_lazy("敏感个人信息"),
}
TYPES = {
    "text": gettext_lazy("文本"),
    "code": gettext_lazy("代码"),
    "date": gettext_lazy("日期"),
    "time": gettext_lazy("时间"),
    "integer": gettext_lazy("整数"),
    "decimal": gettext_lazy("小数"),
    "boolean": gettext_lazy("是否"),
    "choice": gettext_lazy("选项"),
    "geometry": gettext_lazy("几何"),
    "file": gettext_lazy("文件"),
    "list": gettext_lazy("列表"),
    "map": gettext_lazy("结构"),
}
USES = {
    "source": gettext_lazy("数源"),
    "table": gettext_lazy("数据表"),
    "form": gettext_lazy("表单"),
    "api": gettext_lazy("接口"),
}
LISTS = {
    "government": (gettext_lazy("政务数据目录"), gettext_lazy("各部门因履行职责而掌握的全部数据表。")),
    "public-resource": (
        gettext_lazy("公共数据资源目录"),
        gettext_lazy("可以作为公共数据资源登记、授权和利用的数据表。"),
    ),
    "open": (gettext_lazy("开放清单"), gettext_lazy("向社会无条件或有条件开放的数据表，以及理由。")),
    "sharing-duty": (gettext_lazy("共享责任清单"), gettext_lazy("谁向谁共享、主动还是按需、多久一次。")),
}
OPENNESS = {
    "none": gettext_lazy("不开放"),
    "conditional": gettext_lazy("有条件开放"),
    "unconditional": gettext_lazy("无条件开放"),
}
MODES = {"active": gettext_lazy("主动共享"), "on-demand": gettext_lazy("按需共享")}


@public_page
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Search the data elements."""
    text = request.GET.get("q", "").strip()[:100]
    klass = request.GET.get("class", "")
    grade = request.GET.get("grade", "")
    found = api.find_elements(
        text,
        klass=klass if klass in CLASSES else "",
        grade=int(grade) if grade in {"1", "2", "3", "4"} else None,
    )
    known = _departments()
    context = {
        "page": Paginator([_said(row, known) for row in found], PAGE).get_page(request.GET.get("page")),
        "q": text,
        "class": klass,
        "grade": grade,
        "classes": CLASSES,
        "grades": GRADES,
        "lists": LISTS,
        "source_count": len(api.sources()),
        "filtered": bool(text or klass or grade),
    }
    return render(request, "catalogue/home.html", context)


@public_page
@require_GET
def element(request: HttpRequest, code: str) -> HttpResponse:
    """Show one element: what it is, who is believed, where it is used, its versions."""
    row = api.element(code)
    if row is None:
        raise Http404
    known = {each.name: each for each in api.sources()}
    context = {
        "element": _said(row, _departments()),
        "believed": [{"name": name, "title": _title(known.get(name), name)} for name in row.body["sources"]],
        "uses": [(USES[kind], found, kind) for kind, found in api.where_used(code).items() if found],
        "versions": [_version(each) for each in api.versions(f"element:{code}")],
        "breadcrumbs": [(_("数据目录"), reverse("catalogue:home")), (code, "")],
    }
    return render(request, "catalogue/element.html", context)


@public_page
@require_GET
def sources(request: HttpRequest) -> HttpResponse:
    """List the declared sources."""
    context = {
        "sources": _sources(api.sources()),
        "breadcrumbs": [(_("数据目录"), reverse("catalogue:home")), (_("数源"), "")],
    }
    return render(request, "catalogue/sources.html", context)


@public_page
@require_GET
def source(request: HttpRequest, name: str) -> HttpResponse:
    """Show one source: why it is held, its columns and rules, its place in the lists, its versions."""
    row = api.source(name)
    if row is None:
        raise Http404
    titles = api.element_titles()
    columns = [{**column, "title": titles.get(column["element"], {})} for column in row.body["columns"]]
    context = {
        "source": _source(row, _departments()),
        "columns": columns,
        "versions": [_version(each) for each in api.versions(f"source:{name}")],
        "breadcrumbs": [
            (_("数据目录"), reverse("catalogue:home")),
            (_("数源"), reverse("catalogue:sources")),
            (name, ""),
        ],
    }
    return render(request, "catalogue/source.html", context)


@public_page
@require_GET
def one_list(request: HttpRequest, name: str) -> HttpResponse:
    """Show one of the four lists."""
    if name not in LISTS:
        raise Http404
    title, lead = LISTS[name]
    context = {
        "name": name,
        "title": title,
        "lead": lead,
        "lists": LISTS,
        "rows": _sources(api.listed(name)),
        "breadcrumbs": [(_("数据目录"), reverse("catalogue:home")), (title, "")],
    }
    return render(request, "catalogue/list.html", context)


@public_page
@require_GET
def list_csv(request: HttpRequest, name: str) -> StreamingHttpResponse:
    """Give one of the four lists as a file."""
    if name not in LISTS:
        raise Http404
    response = StreamingHttpResponse(csv_lines(_lines(name)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(name: str) -> Iterator[list[str]]:
    head = [_("数源"), _("名称"), _("部门"), _("字段"), _("用途与依据")]
    if name == "open":
        head += [_("开放方式"), _("理由")]
    if name == "sharing-duty":
        head += [_("共享方式"), _("共享对象"), _("更新周期"), _("责任")]
    yield head
    for row in _sources(api.listed(name)):
        listing = row["listing"] or {}
        cells = [
            row["name"],
            _both(row["title"]),
            _both(row["department_said"]),
            "、".join(column["name"] for column in row["columns"]),
            _both(row["purpose"]),
        ]
        if name == "open":
            cells += [str(listing["open_said"]), _both(listing["open_why"])]
        if name == "sharing-duty":
            cells += [
                str(listing["mode_said"]),
                "、".join(_both(each) for each in listing["to_said"]),
                listing["every"],
                _both(listing["duty"]),
            ]
        yield cells


def _both(text: Mapping[str, str]) -> str:
    return text["en"] if (get_language() or "").startswith("en") else text["zh"]


def _departments() -> dict[str, dict[str, str]]:
    return {row.code: {"zh": row.name_zh, "en": row.name_en} for row in departments()}


def _named(code: str, known: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return a department's name; one that is not in the district yet shows its code."""
    return known.get(code) or ({"zh": "各部门", "en": "all"} if code == "all" else {"zh": code, "en": code})


def _said(row: Element, known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        **row.body,
        "title": {"zh": row.title_zh, "en": row.title_en},
        "class_said": CLASSES.get(row.klass, row.klass),
        "grade_said": GRADES.get(row.grade, row.grade),
        "privacy_said": PRIVACIES.get(row.privacy, row.privacy),
        "type_said": TYPES.get(row.type, row.type),
        "version": row.version,
        "changed_at": row.changed_at,
        "retired_at": row.retired_at,
        "personal": row.privacy != "none",
        "authority_said": _named(row.authority, known),
    }


def _source(row: Dataset, known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    listing = row.body["listing"]
    if listing:
        listing = {**listing, "open_said": OPENNESS[listing["open"]], "mode_said": MODES[listing["mode"]]}
        listing["to_said"] = [_named(code, known) for code in listing["to"]]
    return {
        **row.body,
        "name": row.name,
        "department_said": _named(row.department, known),
        "listing": listing,
        "version": row.version,
        "retired_at": row.retired_at,
    }


def _sources(rows: list[Dataset]) -> list[dict[str, Any]]:
    known = _departments()
    return [_source(row, known) for row in rows]


def _title(row: Dataset | None, name: str) -> dict[str, str]:
    return {"zh": row.title_zh, "en": row.title_en} if row else {"zh": name, "en": name}


def _version(row: Version) -> dict[str, Any]:
    first = row.number == 1
    return {
        "number": row.number,
        "at": row.at,
        "leaf_id": row.leaf_id,
        "retired": row.body is None,
        "changes": [] if first else row.diff,
    }
