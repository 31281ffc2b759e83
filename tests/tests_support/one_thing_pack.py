"""A small one-thing: move in with a register, a card, a meter and a gas permit, the last two inspected on one visit."""

from __future__ import annotations

from pathlib import Path

_HEAD = """\
id: {id}
version: 1.0.0
jurisdiction: "440306"
valid_from: 2026-01-01
basis:
  - {{id: law, title: 入住法, issuer: 某机关, kind: law, date: 2020-01-01, in_force: 2020-02-01}}
roles:
  applicant: {{holder: opener}}
  clerk: {{holder: department, department: {department}}}
  chief: {{holder: role, role: operator}}
"""
_ARTICLES = """\
articles:
  - {article: "law:1", status: executed, gist: {zh: 甲, en: One}}
  - {article: "law:2", status: executed, gist: {zh: 乙, en: Two}}
"""
_TERMS = """\
deadlines:
  answer:
    starts_on: [{states}]
    runs_while: [{states}]
    restarts: true
    term: 20 workdays
    on_expiry: late
    cite: ["law:2"]
"""
_PARENT = {
    "pack.yaml": _HEAD.format(id="move-in", department="data-bureau"),
    "articles.yaml": _ARTICLES,
    "form.yaml": """\
facts:
  name: {type: text, element: person.name, required: true, most: 20, privacy: personal}
  home: {type: text, element: person.address, required: true, most: 60, privacy: personal}
  since: {type: date, element: case.date, required: true}
  things: {type: texts, choices: [card, gas], element: case.kind}
  paper: {type: files, accept: document, element: case.papers, privacy: personal}
sections:
  - {id: who, fields: [name, home, since]}
  - {id: what, fields: [things, paper]}
forms:
  news:
    fields:
      part: {type: choice, choices: [register, card, meter, gas, visit], element: case.kind}
""",
    "parts.yaml": """\
runs_while: [running]
on_part: moved
parts:
  - id: register
    pack: move-register
    done: [granted]
    then: [{do: confirm, with: {agreed: "true"}}]
    withdraw: withdraw
    facts: {name: facts.name, home: facts.home, since: facts.since, paper: facts.paper}
    returns: {number: case.number}
    cite: ["law:1"]
  - id: card
    pack: move-card
    when: "contains(facts.things ?? ['gas'], 'card')"
    after: [register]
    done: [granted]
    withdraw: withdraw
    facts: {name: facts.name, number: "case.number ?? ''"}
    cite: ["law:1"]
  - id: meter
    pack: move-check
    done: [granted]
    withdraw: withdraw
    facts: {what: "'meter'", home: facts.home}
    cite: ["law:2"]
  - id: gas
    pack: move-check
    when: "contains(facts.things ?? ['card'], 'gas')"
    done: [granted]
    withdraw: withdraw
    facts: {what: "'gas'", home: facts.home}
    cite: ["law:2"]
joins:
  - id: visit
    pack: move-visit
    parts: {meter: to_inspect, gas: to_inspect}
    facts: {home: facts.home}
    done: [reported]
    gives:
      meter: {do: inspected, with: {sound: case.meter_sound}}
      gas: {do: inspected, with: {sound: case.gas_sound}}
    withdraw: call_off
    leaves: {meter: one_left, gas: one_left}
    cite: ["law:2"]
""",
    "states.yaml": """\
start: running
keeps:
  number: {type: text}
opening: {by: [applicant], department: "'data-bureau'", cite: ["law:1"]}
administration: {by: [chief], cite: ["law:1"]}
states:
  running: {}
  done: {final: true, outcome: done, outcome_kind: granted}
  partly: {final: true, outcome: partly, outcome_kind: ended}
  nothing: {final: true, outcome: nothing, outcome_kind: ended}
  withdrawn: {final: true, outcome: withdrawn, outcome_kind: withdrawn}
transitions:
  - {id: all-done, command: moved, from: [running], to: done, by: [system], form: news,
     when: parts.left == 0 and parts.refused == 0, cite: ["law:1"]}
  - {id: some-done, command: moved, from: [running], to: partly, by: [system], form: news,
     when: parts.left == 0 and parts.done > 0, cite: ["law:1"]}
  - {id: none-done, command: moved, from: [running], to: nothing, by: [system], form: news,
     when: parts.left == 0, cite: ["law:1"]}
  - {id: moved, from: [running], to: stay, by: [system], form: news, cite: ["law:1"]}
  - {id: withdraw, from: [running], to: withdrawn, by: [applicant], cite: ["law:2"]}
  - {id: late, from: [running], to: stay, by: [system], cite: ["law:2"]}
""",
    "deadlines.yaml": _TERMS.format(states="running"),
    "texts/zh.yaml": """\
title: 入住一件事
case: 入住
states: {running: 办理中, done: 全部办好, partly: 部分办好, nothing: 未办成, withdrawn: 已撤回}
outcomes: {done: 全部办好, partly: 部分办好, nothing: 未办成, withdrawn: 已撤回}
commands: {moved: 进展, withdraw: 撤回, late: 超期}
sentences:
  opened: 提出入住一件事
  all-done: "{part}{part_state}，全部办好"
  some-done: "{part}{part_state}，其余已有结果"
  none-done: "{part}{part_state}，都未办成"
  moved: "{part}{part_state}"
  withdraw: "{actor}撤回"
  late: 超期
terms: {answer: 办结}
roles: {applicant: 申请人, clerk: 经办, chief: 主管}
sections: {who: 谁, what: 办什么}
parts:
  register: {title: 登记, about: 登记入住}
  card: {title: 居住卡}
  meter: {title: 水表}
  gas: {title: 燃气}
joins: {visit: {title: 联合踏勘}}
fields:
  name: {label: 姓名}
  home: {label: 住址}
  since: {label: 入住日}
  things: {label: 另办}
  paper: {label: 合同}
  part: {label: 事项}
choices:
  things: {card: 居住卡, gas: 燃气}
  part: {register: 登记, card: 居住卡, meter: 水表, gas: 燃气, visit: 踏勘}
""",
    "official_forms.yaml": """\
forms:
  - id: register
    title: 入住登记表
    issuer: 某机关
    fields:
      - {name: 姓名, fact: name, element: person.name, how: fact}
      - {name: 入住日, fact: register.since, element: case.date, how: fact}
      - {name: 申请日, element: case.note, how: derived, rule: "plus(today, '1 day')"}
      - {name: 经办人, element: case.reason_text, how: office}
      - {name: 邮编, element: subject.id, how: applicant}
""",
    "cases/1.yaml": """\
cases:
  - case: all parts end well
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01, things: [card, gas]}}
    when:
      - {at: 2026-11-23 10:00, part: meter, state: to_inspect}
      - {at: 2026-11-24 09:00, part: register, state: granted, with: {number: R-1}}
      - {at: 2026-11-24 10:00, part: gas, state: to_inspect}
      - {at: 2026-11-25 10:00, join: visit, state: reported, with: {meter: {sound: true}, gas: {sound: true}}}
      - {at: 2026-11-25 11:00, part: meter, state: granted}
      - {at: 2026-11-25 12:00, part: gas, state: granted}
      - {at: 2026-11-26 09:00, part: card, state: granted}
    then:
      state: done
      kept: {number: R-1}
      parts: {register: done, card: done, meter: done, gas: done}
      joins: {visit: done}
      effects: []
      effects_include:
        - {do: tell_part, with: {do: inspected, with: {sound: true}}}
        - {do: open_part, with: {part: card, facts: {number: R-1}}}
      children: {open: 0, ended: 5}
  - case: the card waits for the register
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01, things: [card]}}
    then: {state: running, parts: {register: open, card: waiting, meter: open, gas: skipped}, joins: {visit: waiting}}
  - case: what is refused does not lose the rest
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01, things: [card, gas]}}
    when:
      - {at: 2026-11-23 10:00, part: register, opening: register-taken}
      - {at: 2026-11-24 10:00, part: gas, state: refused}
      - {at: 2026-11-25 10:00, part: meter, state: granted}
    then: {state: partly, parts: {register: refused, card: blocked, gas: refused, meter: done}, joins: {visit: skipped}}
  - case: nothing comes of it
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01, things: [gas]}}
    when:
      - {at: 2026-11-23 10:00, part: register, state: refused}
      - {at: 2026-11-24 10:00, part: gas, state: refused}
      - {at: 2026-11-25 10:00, part: meter, state: withdrawn}
    then: {state: nothing, parts: {card: skipped}}
  - case: one of two leaves the visit, then the other
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01, things: [gas]}}
    when:
      - {at: 2026-11-23 10:00, part: meter, state: to_inspect}
      - {at: 2026-11-23 11:00, part: gas, state: to_inspect}
      - {at: 2026-11-24 09:00, part: meter, state: withdrawn}
      - {at: 2026-11-24 10:00, part: gas, state: refused}
      - {at: 2026-11-24 11:00, join: visit, state: called_off}
    then:
      state: running
      parts: {meter: refused, gas: refused}
      joins: {visit: skipped}
      effects_include:
        - {do: tell_part, with: {do: one_left}}
        - {do: tell_part, with: {do: call_off}}
  - case: a refused card
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01, things: [card]}}
    when:
      - {at: 2026-11-23 10:00, part: register, state: granted, with: {number: R-1}}
      - {at: 2026-11-24 10:00, part: card, state: refused}
      - {at: 2026-11-25 10:00, part: meter, state: refused}
    then: {state: partly}
  - case: withdrawn with all its parts
    given: {at: 2026-11-23 09:00, by: applicant, facts: {name: 甲, home: 某处, since: 2026-11-01}}
    when:
      - {at: 2026-12-21 17:00}
      - {at: 2026-12-22 09:30, by: applicant, do: withdraw}
    then:
      state: withdrawn
      terms: {answer: {due: 2026-12-21, state: late}}
      effects_include:
        - {do: withdraw_part, with: {do: withdraw}}
""",
}
_CHILD_STATES = """\
start: {start}
keeps:
  number: {{type: text}}
opening: {{by: [applicant], offered: true, cite: ["law:1"]{opening}}}
administration: {{by: [chief], cite: ["law:1"]}}
states:
  {start}: {{tasks: [{first}]}}
{more}  granted: {{final: true, outcome: granted, outcome_kind: granted}}
  refused: {{final: true, outcome: refused, outcome_kind: refused}}
  withdrawn: {{final: true, outcome: withdrawn, outcome_kind: withdrawn}}
transitions:
  - {{id: grant, from: [{grant_from}], to: granted, by: [clerk], sets: {{number: "'R-1'"}}, cite: ["law:2"]}}
  - {{id: refuse, from: [{alive}], to: refused, by: [clerk], cite: ["law:2"]}}
  - {{id: withdraw, from: [{alive}], to: withdrawn, by: [applicant], cite: ["law:2"]}}
  - {{id: late, from: [{alive}], to: stay, by: [system], cite: ["law:2"]}}
{steps}"""
_CHILD_TEXTS = """\
title: {title}
case: {title}
states: {{{states}}}
outcomes: {{granted: 准予, refused: 不予, withdrawn: 撤回}}
commands: {{grant: 准予, refuse: 不予, withdraw: 撤回, late: 超期{commands}}}
sentences: {{opened: 提出, grant: 准予, refuse: 不予, withdraw: 撤回, late: 超期{sentences}}}
terms: {{answer: 办结}}
roles: {{applicant: 申请人, clerk: 经办, chief: 主管}}
{more}"""


_WORDS = {
    "examining": "审查", "asked": "待补正", "confirming": "待确认", "to_inspect": "待踏勘", "inspected": "已踏勘",
    "granted": "准予", "refused": "不予", "withdrawn": "撤回",
}  # fmt: skip


def _words(alive: str) -> str:
    names = [*alive.split(", "), "granted", "refused", "withdrawn"]
    return ", ".join(f"{name}: {_WORDS[name]}" for name in names)


def _child(
    name: str, department: str, title: str, form: str, states: dict[str, str], texts: dict[str, str]
) -> dict[str, str]:
    return {
        "pack.yaml": _HEAD.format(id=name, department=department),
        "articles.yaml": _ARTICLES,
        "form.yaml": form,
        "states.yaml": _CHILD_STATES.format(**states),
        "deadlines.yaml": _TERMS.format(states=states["alive"]),
        "texts/zh.yaml": _CHILD_TEXTS.format(title=title, states=_words(states["alive"]), **texts),
    }


REGISTER = _child(
    "move-register",
    "public-security",
    "登记",
    """\
facts:
  name: {type: text, element: person.name, required: true, most: 20, privacy: personal}
  home: {type: text, element: person.address, required: true, most: 60, privacy: personal}
  since: {type: date, element: case.date, required: true, check: facts.since <= today}
  paper: {type: files, accept: document, element: case.papers, privacy: personal}
forms:
  confirm:
    fields:
      agreed: {type: boolean, element: case.kind, required: true, check: data.agreed}
  ask:
    fields:
      lacking: {type: text, element: case.correction, required: true, most: 100}
""",
    {
        "start": "confirming", "first": "applicant", "grant_from": "examining", "alive": "confirming, examining, asked",
        "opening": ", effects: [{do: reserve_key, with: {register: \"'home'\", key: facts.home}}]",
        "more": "  examining: {tasks: [clerk]}\n  asked: {tasks: [applicant]}\n",
        "steps": """\
  - {id: confirm, from: [confirming], to: examining, by: [applicant], form: confirm, cite: ["law:1"]}
  - {id: ask, from: [examining], to: asked, by: [clerk], form: ask, cite: ["law:2"]}
  - {id: supplement, from: [asked], to: examining, by: [applicant], cite: ["law:2"]}
""",
    },
    {
        "commands": ", confirm: 确认, ask: 要求补正, supplement: 补正",
        "sentences": ", confirm: 确认, ask: 要求补正, supplement: 补正",
        "more": """\
fields:
  name: {label: 姓名}
  home: {label: 住址}
  since: {label: 入住日, check: 入住日不能晚于今天}
  paper: {label: 合同}
  agreed: {label: 同意, check: 须同意}
  lacking: {label: 缺什么}
""",
    },
)  # fmt: skip
CARD = _child(
    "move-card",
    "public-security",
    "居住卡",
    """\
facts:
  name: {type: text, element: person.name, required: true, most: 20, privacy: personal}
  number: {type: text, element: case.label, most: 20}
""",
    {
        "start": "examining", "first": "clerk", "grant_from": "examining", "alive": "examining", "opening": "",
        "more": "", "steps": "",
    },
    {"commands": "", "sentences": "", "more": "fields:\n  name: {label: 姓名}\n  number: {label: 登记号}\n"},
)  # fmt: skip
CHECK = _child(
    "move-check",
    "housing",
    "检查",
    """\
facts:
  what: {type: choice, choices: [meter, gas], element: case.kind, required: true}
  home: {type: text, element: person.address, required: true, most: 60, privacy: personal}
forms:
  inspected:
    fields:
      sound: {type: boolean, element: case.kind, required: true}
""",
    {
        "start": "examining", "first": "clerk", "grant_from": "inspected", "alive": "examining, to_inspect, inspected",
        "opening": "", "more": "  to_inspect: {tasks: [clerk]}\n  inspected: {tasks: [clerk]}\n",
        "steps": """\
  - {id: ready, from: [examining], to: to_inspect, by: [clerk], cite: ["law:2"]}
  - {id: inspected, from: [to_inspect], to: inspected, by: [system, clerk], form: inspected, cite: ["law:2"]}
""",
    },
    {
        "commands": ", ready: 待踏勘, inspected: 已踏勘",
        "sentences": ", ready: 待踏勘, inspected: 已踏勘",
        "more": """\
fields: {what: {label: 种类}, home: {label: 住址}, sound: {label: 合格}}
choices: {what: {meter: 水表, gas: 燃气}}
""",
    },
)  # fmt: skip
VISIT = {
    "pack.yaml": _HEAD.format(id="move-visit", department="housing"),
    "articles.yaml": _ARTICLES,
    "form.yaml": """\
facts:
  home: {type: text, element: person.address, required: true, most: 60, privacy: personal}
forms:
  report:
    fields:
      meter_sound: {type: boolean, element: case.kind, required: true}
      gas_sound: {type: boolean, element: case.kind, required: true}
""",
    "states.yaml": """\
start: planned
keeps:
  meter_sound: {type: boolean, initial: false}
  gas_sound: {type: boolean, initial: false}
opening: {by: [system], cite: ["law:1"]}
administration: {by: [chief], cite: ["law:1"]}
states:
  planned: {tasks: [clerk]}
  reported: {final: true, outcome: reported, outcome_kind: ended}
  called_off: {final: true, outcome: called_off, outcome_kind: ended}
transitions:
  - {id: report, from: [planned], to: reported, by: [clerk], form: report,
     sets: {meter_sound: data.meter_sound, gas_sound: data.gas_sound}, cite: ["law:2"]}
  - {id: one_left, from: [planned], to: stay, by: [system], cite: ["law:2"]}
  - {id: call_off, from: [planned], to: called_off, by: [system], cite: ["law:2"]}
  - {id: late, from: [planned], to: stay, by: [system], cite: ["law:2"]}
""",
    "deadlines.yaml": _TERMS.format(states="planned"),
    "texts/zh.yaml": """\
title: 联合踏勘
case: 踏勘
states: {planned: 待踏勘, reported: 已报告, called_off: 已取消}
outcomes: {reported: 已报告, called_off: 已取消}
commands: {report: 报告, late: 超期, one_left: 一件退出, call_off: 取消}
sentences: {opened: 安排踏勘, report: 报告, late: 超期, one_left: 一件退出, call_off: 取消}
terms: {answer: 踏勘}
roles: {applicant: 申请人, clerk: 经办, chief: 主管}
fields: {home: {label: 住址}, meter_sound: {label: 水表合格}, gas_sound: {label: 燃气合格}}
""",
}
PACKS = {
    "move-register": REGISTER,
    "move-card": CARD,
    "move-check": CHECK,
    "move-visit": VISIT,
    "move-in": _PARENT,
}


def write_one_thing(root: Path, **changes: dict[str, tuple[str, str]]) -> Path:
    """Write all packs beside each other; returns the one-thing's folder. ``changes``: pack → file → (old, new)."""
    for name, files in PACKS.items():
        texts = {**files, "texts/en.yaml": files["texts/zh.yaml"]}
        for path, text in texts.items():
            old, new = changes.get(name.replace("-", "_"), {}).get(path, ("", ""))
            assert old in text, f"{name}/{path} has no {old!r}"
            target = root / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace(old, new) if old else text, "utf-8")
    return root / "move-in"
