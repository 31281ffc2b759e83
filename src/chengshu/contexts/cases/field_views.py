"""A pack's fields as pages and interfaces draw them: labels, choices, first values with their source, columns of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import structlog

from chengshu.contexts.cases.domain import FieldView
from chengshu.contexts.cases.wording import LANGUAGES, both, grounds
from chengshu.contexts.identity import api as identity
from chengshu.kernel.problems import Problem
from chengshu.kernel.terms import legal_day
from chengshu.procedure.forms import options
from chengshu.procedure.model import Field, Pack
from chengshu.procedure.ports import SourceRequest, registry

LONG_TEXT = 300
_log = structlog.get_logger(__name__)
# Where a first value came from, as it stands beside the field.
SOURCES = {
    "golden_record": {"zh": "取自标准记录", "en": "from the golden record"},
    "own_record": {"zh": "取自你的标准记录", "en": "from your golden record"},
    "account": {"zh": "取自您的账户", "en": "from your account"},
    "case_fact": {"zh": "取自本办件", "en": "from this case"},
    "certificate": {"zh": "取自电子证照", "en": "from an electronic certificate"},
    "listed": {"zh": "取自部门名单", "en": "from a department's list"},
    "register": {"zh": "取自登记簿", "en": "from the register"},
}
OTHER_SOURCE = {"zh": "取自已有数据", "en": "from data already held"}


def field_view(
    pack: Pack, field: Field, facts: Mapping[str, Any], value: Any = None, source: str = ""
) -> FieldView:
    """Return one field ready to draw; ``facts`` give the options of a field that chooses among them."""
    return FieldView(
        name=field.name,
        kind=field.type.kind,
        label=both(pack, f"fields.{field.name}.label"),
        help=both(pack, f"fields.{field.name}.help"),
        required=field.required,
        choices=_choices(pack, field, facts),
        value=value,
        accept=field.accept,
        most=field.most,
        long=field.type.kind == "text" and field.most > LONG_TEXT,
        element=field.element,
        columns=[_column(pack, field.name, column) for column in field.columns.values()],
        format=field.format,
        check=both(pack, f"fields.{field.name}.check"),
        source=SOURCES.get(source, OTHER_SOURCE) if source and value not in (None, "") else {},
        conditional=field.when is not None,
        cite=grounds(pack, field.cite),
    )


def _choices(pack: Pack, field: Field, facts: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    fixed = options(field, facts)
    if fixed is not None:
        return [(value, dict.fromkeys(LANGUAGES, value)) for value in dict.fromkeys(fixed)]
    if field.type.kind == "accounts":
        return _offered(field)
    return [(choice, _with_ground(pack, field, choice)) for choice in field.type.choices]


def _with_ground(pack: Pack, field: Field, choice: str) -> dict[str, str]:
    """Return a choice with the articles that it alone rests on: a ground of refusal shows its article."""
    text = both(pack, f"choices.{field.name}.{choice}")
    own = grounds(pack, field.grounds.get(choice, ()))
    if own:
        text["zh"] += f"（{'、'.join(each.citation['zh'] for each in own)}）"
        text["en"] += f" ({', '.join(each.citation['en'] for each in own)})"
    return text


def has_personal(view: FieldView) -> bool:
    """Say whether a field holds personal data of somebody."""
    return bool(view.element) and identity.is_personal(view.element)


def _offered(field: Field) -> list[tuple[str, dict[str, str]]]:
    """Return the staff that may be named; residents are never listed, they are named by who knows them."""
    role, department = field.offer_role, field.offer_department
    if role == "resident" or not (role or department):
        return []
    people = identity.accounts(role=role or None, department=department or None)
    return [
        (
            each.username,
            dict.fromkeys(LANGUAGES, f"{each.shown_name}（{each.department or each.username}）"),
        )
        for each in people
    ]


def _column(pack: Pack, rows: str, column: Field) -> FieldView:
    view = field_view(pack, column, {})
    label = both(pack, f"fields.{rows}.columns.{column.name}")
    if not label["zh"]:
        label = {language: text or column.name for language, text in view.label.items()}
    if column.type.kind == "text" and not view.choices:
        # A code that another form or pack declares as a choice: people read its words, and choose among them.
        named = pack.texts.get("zh", {}).get("choices", {}).get(column.name) or {}
        view = replace(view, choices=[(code, both(pack, f"choices.{column.name}.{code}")) for code in named])
    # A cell is one line, however long its text may be.
    return replace(view, label=label, long=False)


def scope_of(
    pack: Pack, answers: Mapping[str, Any], account: identity.Account, now: dt.datetime, bucket: str = "facts"
) -> dict[str, Any]:
    """Return what an expression about a half-filled form may read."""
    day = legal_day(now)
    scope: dict[str, Any] = {
        "today": day.isoformat(),
        "actor.id": str(account.pk),
        "actor.name": account.display_name,
    }
    for name, parameter in pack.parameters.items():
        values = [value for value in parameter.values if value.start <= day]
        scope[f"parameters.{name}"] = values[-1].value if values else None
    scope.update({f"{bucket}.{name}": value for name, value in answers.items()})
    return scope


def seen(fields: Collection[Field], scope: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that are asked, given the answers so far."""
    must = {field.name for field in fields if field.required and field.when is None}
    return {field.name for field in fields if _asked(field, scope, must)}


def _asked(field: Field, scope: Mapping[str, Any], must: Collection[str]) -> bool:
    if field.when is None:
        return True
    known = {name: scope.get(name) for name in field.when.reads} | dict(scope)
    # "other than no" holds for no answer as well: until a question that must be answered is, nothing hangs on it.
    asked = [name for name in field.when.reads if name.partition(".")[2] in must]
    if asked and all(known[name] is None for name in asked):
        return False
    try:
        return field.when.evaluate(known) is True
    except (Problem, TypeError, ValueError):
        # A condition on an answer that is missing or not yet of its type does not hold.
        return False


# A source refuses these: the field is asked then.
ASKED_INSTEAD = ("consent-needed", "source-halted")


def first_value(
    field: Field,
    scope: Mapping[str, Any],
    case_id: str,
    now: dt.datetime,
    *,
    lenient: bool = False,
    subject_id: str = "",
    pack: str = "",
) -> Any:
    """Return what a field starts with, from the source that the pack names; a lenient caller shows none on trouble."""
    if field.prefill is None:
        return None
    try:
        known = {
            name: scope.get(name) for value in field.prefill.params.values() for name in value.reads
        } | dict(scope)
        params = {name: value.evaluate(known) for name, value in field.prefill.params.items()}
        request = SourceRequest(case_id, field.name, field.element, params, now, subject_id, pack)
        return registry.source_handler(field.prefill.source)(request)
    except Problem as problem:
        if problem.code in ASKED_INSTEAD:
            return None
        if not lenient:
            raise
        # An empty field is a small loss; a form that does not open is a great one.
        _log.warning("prefill failed", field=field.name, source=field.prefill.source, problem=problem.code)
        return None
