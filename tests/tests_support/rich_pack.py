"""A pack that uses every part of the language once; tests change one thing in it, or play it."""

from __future__ import annotations

from chengshu.procedure.files import PackFiles
from tests_support.small_pack import changed

TEXTS = {
    "pack.yaml": """\
id: rich
version: 1.0.0
jurisdiction: "440306"
valid_from: 2026-01-01
basis:
  - {id: law, title: 富法, issuer: 某机关, kind: law, date: 2020-01-01, in_force: 2020-02-01, numbered: {zh: 项, en: item}}
roles:
  applicant: {holder: opener}
  clerk: {holder: department}
  archive: {holder: department, department: data-bureau}
  agent: {holder: party}
  reviewer: {holder: assignee}
  anyone: {holder: public}
  chief: {holder: role, role: operator}
""",
    "articles.yaml": """\
articles:
  - {article: "law:1", status: executed, gist: {zh: 甲, en: One}}
  - {article: "law:2", status: executed, gist: {zh: 乙, en: Two}}
  - {article: "law:3", status: executed, gist: {zh: 丙, en: Three}}
""",
    "form.yaml": """\
facts:
  title: {type: text, element: case.title, required: true, most: 40}
  drill: {type: boolean, element: case.drill}
  kind: {type: choice, choices: [plain, odd], element: case.kind, required: true}
  why_odd: {type: text, element: case.reason, required: true, when: "facts.kind == 'odd'"}
  born: {type: date, element: case.date, check: "facts.born <= today"}
  agreed_to: {type: date, element: case.date}
  mail: {type: text, element: case.mail, format: email, privacy: personal}
  items:
    type: rows
    element: case.items
    most: 3
    columns:
      name: {type: text, required: true, most: 10}
      cost: {type: money}
  reviewers: {type: accounts, element: case.reviewers, role: officer}
sections:
  - {id: what, fields: [title, drill, kind, why_odd, born, agreed_to]}
  - {id: more, fields: [mail, items, reviewers]}
forms:
  review:
    fields:
      verdict: {type: choice, choices: [good, bad], element: case.verdict, required: true}
      reasons:
        type: texts
        choices: [late, untrue]
        element: case.reasons
        when: "data.verdict == 'bad'"
        required: true
        grounds: {late: ["law:2"], untrue: ["law:3"]}
  ended:
    fields:
      child: {type: text, element: case.child, required: true}
      child_outcome: {type: choice, choices: [good, lapsed, bad], element: case.outcome, required: true}
      score: {type: integer, element: case.score}
""",
    "states.yaml": """\
start: received
label: "facts.kind == 'odd' ? facts.title + '（特）' : facts.title"
returns: [points]
keeps:
  points: {type: integer, initial: 0}
  valid_to: {type: date}
  scores: {type: rows, columns: {child: {type: text, required: true}, score: {type: integer}}, initial: []}
opening:
  by: [applicant, system]
  department: "facts.kind == 'odd' ? 'market' : 'health'"
  sets: {valid_to: "facts.agreed_to == null ? plus(today, '3 years') : least(plus(today, '3 years'), facts.agreed_to)"}
  effects:
    - do: open_case
      for_each: facts.reviewers
      with: {pack: "'rich'", on_end: "'ended'", assignee: item, facts: {title: facts.title}}
    - do: notify
      when: "sum(facts.items, 'cost') > 100"
      with: {role: "'chief'", text: "'costly'"}
  cite: ["law:1"]
administration: {by: [chief], cite: ["law:1"]}
states:
  received: {tasks: [clerk]}
  listed: {tasks: [archive]}
  bad: {final: true, outcome: bad, outcome_kind: ended}
  lapsed: {final: true, outcome: lapsed, outcome_kind: ended}
transitions:
  - id: ended
    from: [received]
    to: stay
    by: [system]
    form: ended
    when: "children.open >= 0"
    sets:
      points: case.points + (data.score ?? 0)
      scores: add_row(case.scores, 'child', data.child, 'score', data.score)
    cite: ["law:1"]
  - id: note
    from: [received]
    to: stay
    by: [anyone]
    once: true
    cite: ["law:1"]
  - id: accept
    command: review
    from: [received]
    to: listed
    by: [clerk]
    not_who: [opened]
    form: review
    when: "data.verdict == 'good' and children.open == 0 and ended_as('good') * 2 >= children.ended"
    effects:
      - do: register_entry
        with: {register: "'rich'", key: facts.title, title: facts.title, valid_from: today, fields: {kind: facts.kind}}
      - do: publish_notice
        with: {kind: "'listed'", title: facts.title, fields: {kind: facts.kind, mail: facts.mail}}
      - do: send_message
        with: {to: "'applicant'", text: "'listed'"}
      - do: render_document
        with: {template: "'decision'", title: facts.title}
    cite: ["law:1"]
  - id: refuse
    command: review
    from: [received]
    to: bad
    by: [clerk]
    form: review
    when: "data.verdict == 'bad'"
    cite: ["law:1"]
  - id: renew
    from: [listed]
    to: listed
    by: [applicant, agent]
    when: "case.valid_to != null and today >= minus(case.valid_to, '1 month')"
    sets: {valid_to: "plus(case.valid_to, '3 years')"}
    cite: ["law:2"]
  - id: lapse
    from: [listed]
    to: lapsed
    by: [system]
    effects:
      - do: end_notice
        with: {kind: "'listed'"}
    cite: ["law:2"]
  - id: late
    from: [received]
    to: stay
    by: [system]
    cite: ["law:2"]
  - id: remind
    from: [listed]
    to: stay
    by: [system]
    cite: ["law:2"]
""",
    "deadlines.yaml": """\
deadlines:
  review:
    starts_on: [received]
    runs_while: [received]
    term: {parameter: review_days}
    on_expiry: late
    cite: ["law:2"]
  validity:
    starts_on: [listed]
    runs_while: [listed]
    restarts: true
    until: case.valid_to
    amber: 30 days
    on_expiry: lapse
    cite: ["law:2"]
  renewal:
    starts_on: [listed]
    runs_while: [listed]
    restarts: true
    until: case.valid_to
    before: 1 month
    on_expiry: remind
    cite: ["law:2"]
""",
    "parameters/review.yaml": """\
review_days:
  type: text
  last_checked: 2026-11-01
  values:
    - {from: 2026-01-01, value: 5 workdays, cite: ["law:2"]}
    - {from: 2026-12-01, value: 3 workdays, cite: ["law:3"]}
""",
    "templates/decision.typ": "#set page(width: 210mm)\n= 决定\n",
    "texts/zh.yaml": """\
title: 富规程
case: "{facts.title}"
states: {received: 已收, listed: 在册, bad: 坏, lapsed: 失效}
outcomes: {bad: 坏, lapsed: 失效}
commands: {ended: 子办件办结, note: 留言, review: 审查, renew: 续展, lapse: 失效, late: 超期, remind: 提醒}
sentences:
  opened: "{actor}提交"
  ended: 子办件办结
  note: "{actor}留言"
  accept: "{actor}通过"
  refuse: "{actor}不予"
  renew: 续展至{case.valid_to}
  lapse: 失效
  late: 超期
  remind: 提醒
terms: {review: 审查, validity: 有效期, renewal: 续展}
roles: {applicant: 申请人, clerk: 经办, archive: 档案, agent: 代理人, reviewer: 评审, anyone: 公众, chief: 主管}
sections: {what: 事项, more: 其他}
notices: {costly: 花费较大}
messages: {listed: {subject: 已列入, body: "{facts.title}已列入"}}
public: {listed: {title: 公示, body: "{title} {fields.mail}"}}
registers: {rich: 名录}
claims: {kind: 种类, mail: 邮箱}
documents: {decision: 决定书}
fields:
  title: {label: 名称}
  drill: {label: 演练}
  kind: {label: 种类}
  why_odd: {label: 原因}
  born: {label: 日期, check: 日期不能晚于今天}
  agreed_to: {label: 约定至}
  mail: {label: 邮箱}
  items: {label: 明细, columns: {name: 名目, cost: 金额}}
  reviewers: {label: 评审人}
  verdict: {label: 结论}
  reasons: {label: 理由}
  child: {label: 子办件}
  child_outcome: {label: 结果}
  score: {label: 分数}
choices:
  kind: {plain: 平, odd: 奇}
  verdict: {good: 好, bad: 坏}
  reasons: {late: 迟, untrue: 假}
  child_outcome: {good: 好, bad: 坏, lapsed: 失效}
""",
    "cases/cases.yaml": """\
cases:
  - case: three reviewers, two of whom agree, list it for three years; it lapses
    given:
      at: 2026-11-23 09:00
      by: applicant
      facts:
        title: 甲
        kind: plain
        born: 2026-11-23
        reviewers: [li, wang]
        items: [{name: 笔, cost: 60}, {name: 纸, cost: 50}]
        mail: a@example.org
    when:
      - {at: 2026-11-24 09:00, by: clerk, as: lin, do: review, with: {verdict: good}, refused: guard-refused}
      - {at: 2026-11-24 10:00, child: 1, ended: good, with: {score: 80}}
      - {at: 2026-11-24 11:00, child: 2, ended: bad, with: {score: 30}}
      - {at: 2026-11-24 12:00, by: anyone, do: note}
      - {at: 2026-11-24 12:01, by: anyone, do: note, refused: already-done}
      - {at: 2026-11-30 18:00, by: clerk, as: lin, do: review, with: {verdict: good}}
      - {at: 2029-10-22 18:00, by: applicant, do: renew, refused: guard-refused}
      - {at: 2029-10-23 08:00, by: agent, do: renew}
      - {at: 2032-10-23 08:00}
      - {at: 2032-11-23 23:00}
      - {at: 2032-11-24 08:00}
    then:
      state: lapsed
      outcome: lapsed
      label: 甲
      department: health
      kept:
        points: 110
        valid_to: 2032-11-23
        scores: [{child: GOLDEN-1, score: 80}, {child: GOLDEN-2, score: 30}]
      children: {open: 0, ended: 2}
      terms:
        review: {due: 2026-11-30, state: met, because: "24, 25, 26, 27, 30 Nov"}
        validity: {due: 2032-11-23, state: late, because: "three years and three years after 23 Nov 2026"}
        renewal: {due: 2032-10-23, state: late, because: "one month before"}
      documents: [decision]
      effects_include:
        - {do: register_entry, with: {key: 甲, valid_from: 2026-11-30, fields: {kind: plain}}}
        - {do: notify, with: {role: chief}}
        - {do: end_notice}
  - case: refused late in December, on the shorter term, and on both grounds
    given: {at: 2026-12-01 09:00, facts: {title: 乙, kind: odd, why_odd: 无, agreed_to: 2027-01-31}}
    when:
      - {at: 2026-12-05 09:00, by: clerk, do: review, with: {verdict: bad, reasons: [late, untrue]}}
    then:
      state: bad
      department: market
      kept: {valid_to: 2027-01-31}
      terms: {review: {due: 2026-12-04, state: late}}
      grounds: ["law:2", "law:3"]
      effects: []
  - case: a day in the future is refused
    given: {at: 2026-12-01 09:00, facts: {title: 乙, kind: plain, born: 2026-12-02}, refused: form-invalid}
    then: {}
""",
}
TEXTS["texts/en.yaml"] = TEXTS["texts/zh.yaml"]


def rich_pack(**changes: tuple[str, str] | None) -> PackFiles:
    """Return the rich pack, changed as ``changed`` says."""
    return changed("rich", TEXTS, changes)
