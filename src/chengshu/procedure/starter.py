"""A small working pack with comments, for whoever writes a new one: it loads, and its golden cases hold."""

from __future__ import annotations

import datetime as dt

from chengshu.procedure.schemas import FILES

_PACK = """\
# What the pack is, what it rests on, who takes part. Every key: docs/reference/packs.md
id: @ID@
version: 1.0.0
jurisdiction: "440306"  # the division where it holds, in quotes
valid_from: @YEAR@-01-01
basis:
  # One entry for each law, regulation or house rule; `id` is what citations begin with.
  - id: rule
    title: 示例办理规定
    title_en: Sample rules
    issuer: 示例机关
    kind: house-rule  # law | regulation | rule | policy | house-rule
    date: @BEFORE@-12-01
    in_force: @YEAR@-01-01
roles:
  applicant: {holder: opener}  # whoever opened the case
  officer: {holder: department, department: data-bureau}  # without `department:` the case's own
  supervisor: {holder: role, role: operator}
"""
_ARTICLES = """\
# Every article, in our own words. executed: something cites it. informative, exempt: nothing does, and `why` says why.
articles:
  - article: rule:1
    status: informative
    why: It names the purpose; nothing follows from it alone.
    gist: {zh: 为规范申请办理，制定本规定。, en: The rules put applications in order.}
  - article: rule:2
    status: executed
    gist: {zh: 申请人提交名称和说明。, en: An applicant files a title and a description.}
  - article: rule:3
    status: executed
    gist:
      zh: 受理机关五个工作日内决定；逾期未决定的，由上级督办。
      en: The decision falls within five working days; after that it is followed up.
  - article: rule:4
    status: executed
    gist:
      zh: 不符合条件或者材料不全的，不予办理并说明理由。
      en: What does not qualify or is incomplete is refused with reasons.
"""
_FORM = """\
facts:  # what a case is opened with; each maps to an element of the catalogue
  title: {type: text, element: case.subject_label, required: true, most: 60, cite: ["rule:2"]}
  description: {type: text, element: case.description, required: true, most: 2000, privacy: personal}
sections:
  - {id: matter, fields: [title, description]}
forms:  # what commands carry
  decide:
    fields:
      verdict: {type: choice, choices: [granted, refused], element: case.result, required: true}
      grounds:
        type: texts  # several may be ticked
        choices: [unqualified, incomplete]
        element: case.refusal_ground
        when: "data.verdict == 'refused'"  # asked only then
        required: true
        grounds: {unqualified: ["rule:4"], incomplete: ["rule:4"]}
"""
_STATES = """\
start: received
label: facts.title
opening:
  by: [applicant]
  department: "'data-bureau'"
  cite: ["rule:2"]
administration: {by: [supervisor], cite: ["rule:3"]}  # who may reassign and hand over
states:
  received: {tasks: [officer]}
  overdue: {tasks: [officer, supervisor]}
  granted: {final: true, outcome: granted, outcome_kind: granted}
  refused: {final: true, outcome: refused, outcome_kind: refused}
transitions:  # of one command, the first step whose condition holds is taken
  - id: grant
    command: decide
    from: [received, overdue]
    to: granted
    by: [officer]
    not_who: [opened]  # four eyes
    when: "data.verdict == 'granted'"
    form: decide
    effects:
      - do: send_message
        with: {to: "'applicant'", text: "'granted'"}
    cite: ["rule:3"]
  - id: refuse
    command: decide
    from: [received, overdue]
    to: refused
    by: [officer]
    not_who: [opened]
    when: "data.verdict == 'refused'"
    form: decide
    effects:
      - do: send_message
        with: {to: "'applicant'", text: "'refused'"}
    cite: ["rule:3"]
  - id: late
    from: [received, overdue]
    to: overdue
    by: [system]
    effects:
      - do: notify
        with: {role: "'supervisor'", text: "'late'"}
    cite: ["rule:3"]
"""
_DEADLINES = """\
deadlines:
  decide:
    starts_on: [received]
    runs_while: [received, overdue]
    term: 5 workdays  # or {parameter: name}; or until: <date expression>
    amber: 1 workday
    on_expiry: late  # a step of this name by [system]
    cite: ["rule:3"]
"""
_ZH = """\
title: 示例申请
case: "{facts.title}"
about: 任何人可以提交，五个工作日内答复。
sections: {matter: 申请事项}
states: {received: 已收件, overdue: 已超期, granted: 已同意, refused: 不予办理}
outcomes: {granted: 同意, refused: 不予办理}
commands: {decide: 作出决定, late: 超期督办}
sentences:
  opened: "{actor}提交申请“{facts.title}”"
  grant: "{actor}同意"
  refuse: "{actor}决定不予办理"
  late: 决定期限届满，仍未决定
terms: {decide: 决定期限}
roles: {applicant: 申请人, officer: 经办人, supervisor: 督办人}
notices: {late: "“{facts.title}”超期未决定，请督办。"}
messages:
  granted: {subject: 申请已同意, body: "“{facts.title}”已同意。"}
  refused: {subject: 申请不予办理, body: "“{facts.title}”不予办理，理由见办件。"}
fields:
  title: {label: 名称, help: 六十字以内}
  description: {label: 说明}
  verdict: {label: 决定}
  grounds: {label: 不予办理的理由}
choices:
  verdict: {granted: 同意, refused: 不予办理}
  grounds: {unqualified: 不符合条件, incomplete: 材料不全}
"""
_EN = """\
title: Sample application
case: "{facts.title}"
about: Anyone may file; the answer comes within five working days.
sections: {matter: What it is about}
states: {received: Received, overdue: Overdue, granted: Granted, refused: Refused}
outcomes: {granted: granted, refused: refused}
commands: {decide: Decide, late: Follow up}
sentences:
  opened: "{actor} filed “{facts.title}”"
  grant: "{actor} granted it"
  refuse: "{actor} refused it"
  late: The term to decide ended without a decision
terms: {decide: Decision}
roles: {applicant: Applicant, officer: Officer, supervisor: Supervisor}
notices: {late: "“{facts.title}” is overdue: please follow up."}
messages:
  granted: {subject: Application granted, body: "“{facts.title}” is granted."}
  refused: {subject: Application refused, body: "“{facts.title}” is refused; the case gives the reasons."}
fields:
  title: {label: Title, help: At most sixty characters}
  description: {label: Description}
  verdict: {label: Decision}
  grounds: {label: Grounds of refusal}
choices:
  verdict: {granted: Granted, refused: Refused}
  grounds: {unqualified: Does not qualify, incomplete: Incomplete}
"""
_CASES = """\
# Golden cases: what was given, what was done when, what must be so then. Every step, row, ground and term's end is gone
# through by one. Count each day by hand from the text and the calendar, not from what the machine says, and show how
# beside it (because:): the article, the days that count, those that are passed over. A `due:` without it is warned of.
cases:
  - case: granted on the last day
    given: {at: 2026-11-23 09:00, by: applicant, facts: {title: 甲, description: 说明}}
    when:
      - {at: 2026-11-30 17:00, by: officer, do: decide, with: {verdict: granted}}
    then:
      state: granted
      terms:
        decide: {due: 2026-11-30, state: met, because: "rule:3, five working days: Mon 23 Nov is not counted; 24 to 27 and 30"}
      effects: [{do: send_message, with: {to: applicant, text: granted}}]
      grounds: ["rule:2", "rule:3"]
  - case: refused the day after the last, on both grounds
    given: {at: 2026-11-23 09:00, by: applicant, facts: {title: 甲, description: 说明}}
    when:
      - {at: 2026-12-01 09:00, by: officer, do: decide, with: {verdict: refused, grounds: [unqualified, incomplete]}}
    then:
      state: refused
      terms: {decide: {due: 2026-11-30, state: late, because: "rule:3, as above; Tue 1 Dec is the day after"}}
      effects_include: [{do: notify, with: {role: supervisor, text: late}}]
      grounds: ["rule:4"]
  - case: nobody decides on their own application
    given: {at: 2026-11-23 09:00, by: applicant, as: lin, facts: {title: 甲, description: 说明}}
    when:
      - {at: 2026-11-24 09:00, by: officer, as: lin, do: decide, with: {verdict: granted}, refused: own-work}
      - {at: 2026-11-24 09:00, by: applicant, as: lin, do: decide, with: {verdict: granted}, refused: command-not-yours}
    then: {state: received}
"""


def starter(pack_id: str, today: dt.date) -> dict[str, str]:
    """Return path → text of a new pack; each file names its schema for the editor."""
    files = {
        "pack.yaml": _PACK,
        "articles.yaml": _ARTICLES,
        "form.yaml": _FORM,
        "states.yaml": _STATES,
        "deadlines.yaml": _DEADLINES,
        "texts/zh.yaml": _ZH,
        "texts/en.yaml": _EN,
        "cases/cases.yaml": _CASES,
    }
    made = {}
    for path, text in files.items():
        up = "../" * (path.count("/") + 1)
        name = FILES.get(path) or FILES[path.split("/")[0]]
        # The sample's cases stand in 2026: the pack holds by then, whenever it is made.
        year = min(today.year, 2026)
        filled = text.replace("@ID@", pack_id).replace("@YEAR@", str(year)).replace("@BEFORE@", str(year - 1))
        made[path] = f"# yaml-language-server: $schema={up}.schemas/{name}.json\n{filled}"
    return made
