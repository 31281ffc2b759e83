"""Two versions of a pack compared, in words: what was added, removed and changed, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chengshu.procedure.expressions import Expression
from chengshu.procedure.model import Deadline, Effect, Field, Pack, Transition
from chengshu.procedure.parts import Part
from chengshu.procedure.wording import flatten

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

# Part → how it is called.
PARTS = {
    "head": ("规程", "the pack"),
    "basis": ("依据文件", "instrument"),
    "articles": ("条款", "article"),
    "roles": ("角色", "role"),
    "facts": ("申请项", "fact"),
    "fields": ("填写项", "field"),
    "sections": ("表单分栏", "section"),
    "states": ("状态", "state"),
    "steps": ("步骤", "step"),
    "terms": ("期限", "term"),
    "watches": ("关注的记录", "watch of a record"),
    "parts": ("组成事项", "part"),
    "rows": ("决策行", "row"),
    "parameters": ("参数", "parameter"),
    "templates": ("文书模板", "template"),
    "texts": ("文字", "text"),
}
# Attribute → how it is called.
WORDS = {
    "version": ("版本", "version"),
    "valid_from": ("生效日", "first day"),
    "valid_to": ("失效日", "last day"),
    "jurisdiction": ("适用区划", "jurisdiction"),
    "extends": ("所依规程", "base"),
    "label": ("名称表达式", "label"),
    "department": ("承办部门", "department"),
    "returns": ("返回上级的值", "returned values"),
    "keeps": ("留存值", "kept values"),
    "title": ("名称", "title"),
    "number": ("文号", "number"),
    "date": ("发布日", "date"),
    "in_force": ("施行日", "day in force"),
    "repealed": ("废止日", "day repealed"),
    "issuer": ("发布机关", "issuer"),
    "status": ("落实方式", "status"),
    "gist": ("要旨", "gist"),
    "why": ("不落实的理由", "reason"),
    "holder": ("承担者", "holder"),
    "tasks": ("待办角色", "roles with a task"),
    "outcome": ("结果", "outcome"),
    "outcome_kind": ("结果类别", "kind of outcome"),
    "refusal": ("属于不予办理", "refuses"),
    "from": ("起始状态", "states it starts from"),
    "to": ("到达状态", "state it leads to"),
    "by": ("可办角色", "roles that may do it"),
    "not_who": ("回避", "who may not"),
    "once": ("仅一次", "once"),
    "reverses": ("撤销或改变此前的决定", "undoes a decision"),
    "forwarded_by": ("转送步骤", "steps that pass its answers on"),
    "offered": ("可由个人直接提出", "begun by people themselves"),
    "when": ("条件", "condition"),
    "form": ("表单", "form"),
    "decides": ("决策表", "decision tables"),
    "sets": ("变更的留存值", "values it changes"),
    "effects": ("后续动作", "effects"),
    "cite": ("依据", "ground"),
    "length": ("时长", "length"),
    "starts_on": ("起算状态", "states that start it"),
    "runs_while": ("计时状态", "states in which it runs"),
    "suspended_while": ("中止状态", "states in which it stands"),
    "restarts": ("重新起算", "starting anew"),
    "amber": ("黄灯", "amber light"),
    "on_expiry": ("到期命令", "command at its end"),
    "type": ("类型", "type"),
    "choices": ("选项", "choices"),
    "required": ("必填", "required"),
    "most": ("上限", "most"),
    "format": ("格式", "format"),
    "check": ("核对", "check"),
    "element": ("数据元", "data element"),
    "options": ("取值来源", "options"),
    "prefill": ("预填", "prefill"),
    "typed": ("可凭填报", "typed"),
    "privacy": ("隐私", "privacy"),
    "accept": ("接收文件", "files"),
    "columns": ("栏", "columns"),
    "offer": ("可选人员", "accounts offered"),
    "grounds": ("选项依据", "grounds of choices"),
    "fields": ("项目", "fields"),
    "then": ("结论", "outputs"),
    "values": ("取值", "values"),
    "pack": ("规程", "pack"),
    "after": ("先办事项", "parts before it"),
    "done": ("办结状态", "states in which it has ended well"),
    "follow": ("随即办理", "commands given at once"),
    "withdraw": ("撤回命令", "command of withdrawal"),
    "leaves": ("退出命令", "commands of leaving"),
    "facts": ("带入的内容", "facts it is given"),
    "parts": ("汇合事项", "parts that meet"),
    "gives": ("回告", "what it brings its parts"),
    "on_part": ("进展命令", "command of its news"),
    "zh": ("中文", "Chinese"),
    "en": ("英文", "English"),
    "text": ("内容", "content"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: in which part, at which element, and what it is, in both languages."""

    part: str
    key: str
    change: str
    text: Mapping[str, str]


def differences(old: Pack, new: Pack) -> list[Difference]:
    """Return every difference between two versions, part by part, in the order of the new one."""
    found: list[Difference] = []
    before, after = _parts(old), _parts(new)
    for part in PARTS:
        for key in (*after[part], *(key for key in before[part] if key not in after[part])):
            found += _compared(part, key, before[part].get(key), after[part].get(key), old, new)
    return found


Facets = Mapping[str, str]


def _compared(
    part: str, key: str, before: Facets | None, after: Facets | None, old: Pack, new: Pack
) -> Iterator[Difference]:
    if before is None or after is None:
        change = ADDED if before is None else REMOVED
        pack = new if before is None else old
        verbs = ("新增", "added") if before is None else ("删除", "removed")
        zh, en = (_called(part, key, pack, language) for language in ("zh", "en"))
        yield Difference(part, key, change, {"zh": f"{verbs[0]}{zh}", "en": f"{verbs[1]} {en}"})
        return
    for name in (*after, *(name for name in before if name not in after)):
        was, now = before.get(name, ""), after.get(name, "")
        if was != now:
            yield Difference(part, key, CHANGED, _changed(part, key, name, was, now, new))


def _changed(part: str, key: str, name: str, was: str, now: str, pack: Pack) -> dict[str, str]:
    zh, en = WORDS.get(name, (name, name))
    return {
        "zh": f"{_called(part, key, pack, 'zh')}：{zh}由“{was or '无'}”改为“{now or '无'}”",
        "en": f"{_called(part, key, pack, 'en')}: {en} was “{was or 'nothing'}”, is “{now or 'nothing'}”",
    }


# Part → where the name of one of its elements stands in the texts.
_NAMES = {
    "facts": "fields.{}.label",
    "sections": "sections.{}",
    "states": "states.{}",
    "terms": "terms.{}",
    "roles": "roles.{}",
    "parts": "parts.{}.title",
}


def _called(part: str, key: str, pack: Pack, language: str) -> str:
    zh, en = PARTS[part]
    if part == "head":
        return zh if language == "zh" else en
    title = pack.text(_NAMES.get(part, "").format(key), language)
    if part == "steps":
        title = next(
            (pack.text(f"commands.{step.command}", language) for step in pack.transitions if step.id == key),
            "",
        )
    elif part == "fields":
        title = pack.text(f"fields.{key.rpartition('.')[2]}.label", language)
    if language == "zh":
        return f"{zh}“{title}”（{key}）" if title else f"{zh} {key}"
    return f"{en} “{title}” ({key})" if title else f"{en} {key}"


def _parts(pack: Pack) -> dict[str, dict[str, Facets]]:
    """Return part → element → attribute → what it is, as text."""
    return {
        "head": {"": _head(pack)},
        "basis": {
            name: {
                "title": item.title, "number": item.number, "issuer": item.issuer, "date": str(item.date),
                "in_force": str(item.in_force), "repealed": str(item.repealed or ""),
            }
            for name, item in pack.basis.items()
        },
        "articles": {
            key: {"status": item.status, "gist": item.gist.get("zh", ""), "why": item.why}
            for key, item in pack.articles.items()
        },
        "roles": {
            name: {"holder": " ".join(filter(None, (item.holder, item.account_role, item.department)))}
            for name, item in pack.roles.items()
        },
        "facts": {name: _field(item) for name, item in pack.facts.items()},
        "fields": {
            f"{form.name}.{name}": _field(item) for form in pack.forms.values() for name, item in form.fields.items()
        },
        "sections": {item.id: {"fields": ", ".join(item.fields)} for item in pack.sections},
        "states": {
            name: {
                "tasks": ", ".join(item.tasks), "outcome": item.outcome, "outcome_kind": item.outcome_kind,
                "refusal": _flag(item.refusal),
            }
            for name, item in pack.states.items()
        },
        "steps": {
            pack.opening.id: {**_step(pack.opening), "offered": _flag(pack.offered)},
            **{step.id: _step(step) for step in (pack.administration, *pack.transitions)},
        },
        "terms": {name: _term(item) for name, item in pack.deadlines.items()},
        "rows": {
            f"{table.id}/{row.id}": {
                "when": _source(row.when),
                "then": _pairs(row.then),
                "cite": ", ".join(row.cite),
            }
            for table in pack.tables.values()
            for row in table.rows
        },
        "watches": {
            item.element: {"command": item.command, "fields": item.field, "cite": ", ".join(item.cite)}
            for item in pack.watches
        },
        "parts": _composed(pack),
        "parameters": {
            name: {
                "values": "; ".join(f"{v.start}: {v.value} [{', '.join(v.cite)}]" for v in item.values),
            }
            for name, item in pack.parameters.items()
        },
        "templates": {name: {"text": text} for name, text in pack.templates.items()},
        "texts": _texts(pack),
    }  # fmt: skip


def _composed(pack: Pack) -> dict[str, Facets]:
    found: dict[str, Facets] = {}
    for item in pack.parts or ():
        facets = {"pack": item.pack, "done": ", ".join(item.done), "facts": _pairs(item.facts)}
        if isinstance(item, Part):
            facets |= {
                "when": _source(item.when),
                "after": ", ".join(item.after),
                "follow": "; ".join(f"{given.command}({_pairs(given.data)})" for given in item.then),
                "withdraw": item.withdraw,
                "returns": ", ".join(f"{name} = {source}" for name, source in item.returns.items()),
            }
        else:
            facets |= {
                "parts": ", ".join(f"{name}: {state}" for name, state in item.parts.items()),
                "gives": "; ".join(
                    f"{name}: {given.command}({', '.join(f'{k} = {v}' for k, v in given.data.items())})"
                    for name, given in item.gives.items()
                ),
                "withdraw": item.withdraw,
                "leaves": ", ".join(f"{name}: {command}" for name, command in item.leaves.items()),
            }
        found[item.id] = {**facets, "cite": ", ".join(item.cite)}
    return found


def _head(pack: Pack) -> Facets:
    return {
        "version": pack.version,
        "jurisdiction": pack.jurisdiction,
        "valid_from": str(pack.valid_from),
        "valid_to": str(pack.valid_to or ""),
        "extends": " ".join(pack.extends or ()),
        "label": _source(pack.label),
        "department": _source(pack.department),
        "returns": ", ".join(pack.returns),
        "keeps": ", ".join(f"{name}: {type_}" for name, type_ in pack.keeps.items()),
        "runs_while": ", ".join(pack.parts.runs_while) if pack.parts is not None else "",
        "on_part": pack.parts.on_part if pack.parts is not None else "",
    }


def _field(item: Field) -> Facets:
    columns = ", ".join(f"{name}: {column.type}" for name, column in item.columns.items())
    prefill = f"{item.prefill.source}({_pairs(item.prefill.params)})" if item.prefill else ""
    prefill += " only" if item.prefill and item.prefill.only else ""
    return {
        "type": item.type.kind,
        "choices": ", ".join(item.type.choices),
        "required": _flag(item.required),
        "when": _source(item.when),
        "check": _source(item.check),
        "format": item.format,
        "most": str(item.most),
        "element": item.element,
        "options": item.options,
        "prefill": prefill,
        "typed": item.typed,
        "privacy": item.privacy,
        "accept": item.accept,
        "columns": columns,
        "offer": " ".join(filter(None, (item.offer_role, item.offer_department))),
        "grounds": "; ".join(f"{choice}: {', '.join(cites)}" for choice, cites in item.grounds.items()),
        "cite": ", ".join(item.cite),
    }


def _step(step: Transition) -> Facets:
    return {
        "from": ", ".join(step.sources),
        "to": step.target or "",
        "by": ", ".join(sorted(step.by)),
        "not_who": ", ".join(step.not_who),
        "once": _flag(step.once),
        "forwarded_by": ", ".join(step.forwarded_by),
        "when": _source(step.when),
        "form": step.form.name if step.form else "",
        "decides": ", ".join(step.decides),
        "sets": _pairs(step.sets),
        "effects": "; ".join(map(_effect, step.effects)),
        "cite": ", ".join(step.cite),
    }


def _effect(effect: Effect) -> str:
    parts = []
    for name, value in effect.params.items():
        parts.append(f"{name}={value.source if isinstance(value, Expression) else '{' + _pairs(value) + '}'}")
    when = f" when {effect.when.source}" if effect.when else ""
    each = f" for each of {effect.each.source}" if effect.each else ""
    return f"{effect.name}({', '.join(parts)}){each}{when}"


def _term(item: Deadline) -> Facets:
    until = f"until {item.until.source}" if item.until else ""
    return {
        "length": " ".join(filter(None, (until, item.words("en"), item.parameter))),
        "starts_on": ", ".join(sorted(item.starts_on)),
        "runs_while": ", ".join(sorted(item.runs_while)),
        "suspended_while": ", ".join(sorted(item.suspended_while)),
        "restarts": _flag(item.restarts),
        "amber": str(item.amber),
        "on_expiry": item.on_expiry,
        "cite": ", ".join(item.cite),
    }


def _texts(pack: Pack) -> dict[str, Facets]:
    flat = {language: flatten(texts) for language, texts in pack.texts.items()}
    keys = dict.fromkeys(key for texts in flat.values() for key in texts)
    return {key: {language: str(texts.get(key, "")) for language, texts in flat.items()} for key in keys}


def _source(expression: Expression | None) -> str:
    return expression.source.strip() if expression is not None else ""


def _pairs(expressions: Mapping[str, Expression]) -> str:
    return ", ".join(f"{name} = {value.source.strip()}" for name, value in expressions.items())


def _flag(value: bool) -> str:
    return "✓" if value else ""
