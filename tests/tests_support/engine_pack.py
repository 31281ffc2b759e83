"""A small permit with everything that the engine's run-time side does: parties, reviewers, finance, the public, a fee."""

from __future__ import annotations

from pathlib import Path

_HEAD = """\
id: {id}
version: {version}
jurisdiction: "440306"
valid_from: 2026-01-01
basis:
  - {{id: law, title: 许可法, issuer: 某机关, kind: law, date: 2020-01-01, in_force: 2020-02-01}}
roles:
{roles}
"""
_ARTICLES = """\
articles:
  - {article: "law:1", status: executed, gist: {zh: 甲, en: One}}
  - {article: "law:2", status: executed, gist: {zh: 乙, en: Two}}
"""
PERMIT = {
    "pack.yaml": _HEAD.format(
        id="permit",
        version="1.0.0",
        roles="""\
  applicant: {holder: opener}
  agent: {holder: party}
  clerk: {holder: department}
  cashier: {holder: department, department: finance}
  anyone: {holder: public}
  chief: {holder: role, role: operator}""",
    ),
    "articles.yaml": _ARTICLES,
    "form.yaml": """\
facts:
  title: {type: text, element: case.label, required: true, most: 40}
  payee: {type: text, element: case.payee, most: 60, privacy: personal}
  reviewers: {type: texts, element: case.party, most: 5}
  papers: {type: files, element: case.photo, accept: document, most: 2}
sections:
  - {id: what, fields: [title, payee, reviewers, papers]}
forms:
  appoint:
    fields:
      account: {type: text, element: case.party, required: true, most: 40}
      until: {type: date, element: case.party}
  dismiss:
    fields:
      account: {type: text, element: case.party, required: true, most: 40}
  object:
    fields:
      why: {type: text, element: case.reason, required: true, most: 300, privacy: personal}
      papers: {type: files, accept: document, element: case.papers, privacy: personal}
  ended:
    fields:
      child: {type: text, element: case.child, required: true}
      child_outcome: {type: text, element: case.outcome, required: true}
      score: {type: integer, element: case.count}
  paid:
    fields:
      reference: {type: text, element: case.payment, most: 120}
      amount: {type: money, element: case.payment_amount}
""",
    "states.yaml": """\
start: received
label: "facts.title + '（许可）'"
keeps:
  points: {type: integer, initial: 0}
  fee: {type: money, initial: 0}
opening:
  by: [applicant, system]
  department: "'market'"
  effects:
    - do: open_case
      for_each: facts.reviewers
      with: {pack: "'opinion'", on_end: "'reviewed'", assignee: item, facts: {title: facts.title}}
  cite: ["law:1"]
administration: {by: [chief], cite: ["law:1"]}
states:
  received: {tasks: [clerk, agent]}
  paying: {tasks: [applicant, cashier]}
  granted: {final: true, outcome: granted, outcome_kind: granted}
  refused: {final: true, outcome: refused, outcome_kind: refused}
  lapsed: {final: true, outcome: lapsed, outcome_kind: ended}
transitions:
  - id: appoint
    from: [received]
    to: stay
    by: [applicant]
    form: appoint
    effects:
      - do: add_party
        with: {role: "'agent'", account: data.account, until: data.until, authority: "'代为办理'"}
    cite: ["law:1"]
  - id: dismiss
    from: [received]
    to: stay
    by: [applicant]
    form: dismiss
    effects:
      - do: remove_party
        with: {role: "'agent'", account: data.account}
    cite: ["law:1"]
  - id: object
    from: [received]
    to: stay
    by: [anyone]
    form: object
    effects:
      - do: open_case
        with: {pack: "'opinion'", on_end: "'reviewed'", facts: {title: facts.title}}
    cite: ["law:2"]
  - id: reviewed
    from: [received]
    to: stay
    by: [system]
    form: ended
    sets: {points: "case.points + (data.score ?? 0)"}
    cite: ["law:1"]
  - id: charge
    from: [received]
    to: paying
    by: [clerk]
    effects:
      - do: request_fee
        with: {amount: parameters.fee, purpose: "'许可费'", on_paid: "'paid'"}
    cite: ["law:2"]
  - id: paid
    from: [paying]
    to: granted
    by: [system]
    form: paid
    sets: {fee: "data.amount ?? parameters.deposit"}
    effects:
      - do: order_payment
        with: {payee: "facts.payee ?? '无名'", amount: parameters.deposit, purpose: "'退押金'"}
    cite: ["law:2"]
  - id: refuse
    from: [received, paying]
    to: refused
    by: [clerk]
    cite: ["law:2"]
  - id: plead
    from: [received]
    to: stay
    by: [agent]
    cite: ["law:2"]
  - id: late
    from: [received]
    to: stay
    by: [system]
    cite: ["law:2"]
  - id: lapse
    from: [paying]
    to: lapsed
    by: [system]
    cite: ["law:2"]
""",
    "deadlines.yaml": """\
deadlines:
  review:
    starts_on: [received]
    runs_while: [received]
    term: 10 workdays
    on_expiry: late
    cite: ["law:2"]
  payment:
    starts_on: [paying]
    runs_while: [paying]
    term: 30 days
    on_expiry: lapse
    cite: ["law:2"]
""",
    "parameters/fees.yaml": """\
fee:
  type: money
  last_checked: 2026-11-01
  values: [{from: 2026-01-01, value: 12000, cite: ["law:2"]}]
deposit:
  type: money
  last_checked: 2026-11-01
  values: [{from: 2026-01-01, value: 5000, cite: ["law:2"]}]
""",
    "texts/zh.yaml": """\
title: 许可
case: "{facts.title}"
states: {received: 已收, paying: 待缴费, granted: 准予, refused: 不予, lapsed: 逾期失效}
outcomes: {granted: 准予, refused: 不予, lapsed: 逾期失效}
commands:
  {appoint: 委托, dismiss: 解除委托, object: 提出异议, reviewed: 评审意见, charge: 通知缴费, paid: 已缴费, refuse: 不予,
   plead: 陈述, late: 超期, lapse: 逾期未缴}
sentences:
  opened: "{actor}提交"
  appoint: "{actor}委托代理人"
  dismiss: "{actor}解除委托"
  object: "{actor}提出异议"
  reviewed: "评审结束：{data.child_outcome}"
  charge: "{actor}通知缴费"
  paid: 已缴费
  refuse: "{actor}不予许可"
  plead: "{actor}陈述"
  late: 超期
  lapse: 逾期未缴
terms: {review: 审查, payment: 缴费}
roles: {applicant: 申请人, agent: 代理人, clerk: 经办, cashier: 收费, anyone: 公众, chief: 主管}
sections: {what: 事项}
fields:
  title: {label: 名称}
  payee: {label: 收款人}
  reviewers: {label: 评审人}
  papers: {label: 材料}
  account: {label: 账户}
  until: {label: 至}
  why: {label: 理由}
  child: {label: 子办件}
  child_outcome: {label: 结果}
  score: {label: 分数}
  reference: {label: 凭证号}
  amount: {label: 金额}
""",
}
OPINION = {
    "pack.yaml": _HEAD.format(
        id="opinion",
        version="1.0.0",
        roles="""\
  opener: {holder: opener}
  reviewer: {holder: assignee}
  chief: {holder: role, role: operator}""",
    ),
    "articles.yaml": _ARTICLES,
    "form.yaml": """\
facts:
  title: {type: text, element: case.label, required: true, most: 40}
forms:
  mark:
    fields:
      score: {type: integer, element: case.count, required: true}
""",
    "states.yaml": """\
start: asked
returns: [score]
keeps:
  score: {type: integer, initial: 0}
opening: {by: [opener, system], cite: ["law:1"]}
administration: {by: [chief], cite: ["law:1"]}
states:
  asked: {tasks: [reviewer]}
  given: {final: true, outcome: given, outcome_kind: granted}
transitions:
  - id: mark
    from: [asked]
    to: given
    by: [reviewer]
    not_who: [opened]
    form: mark
    sets: {score: data.score}
    cite: ["law:2"]
  - id: late
    from: [asked]
    to: stay
    by: [system]
    cite: ["law:2"]
""",
    "deadlines.yaml": """\
deadlines:
  mark:
    starts_on: [asked]
    runs_while: [asked]
    term: 5 workdays
    on_expiry: late
    cite: ["law:2"]
""",
    "texts/zh.yaml": """\
title: 评审意见
case: "{facts.title}"
states: {asked: 待评, given: 已评}
outcomes: {given: 已给出意见}
commands: {mark: 打分, late: 超期}
sentences: {opened: "{actor}请求评审", mark: "{actor}打分", late: 超期}
terms: {mark: 评审}
roles: {opener: 发起人, reviewer: 评审人, chief: 主管}
fields: {title: {label: 名称}, score: {label: 分数}}
""",
}


def write_pack(folder: Path, texts: dict[str, str], *changes: tuple[str, str, str]) -> Path:
    """Write a pack's files with (file, old, new) replaced; returns the folder."""
    files = dict(texts)
    for path, old, new in changes:
        assert old in files[path], f"{path} does not hold {old!r}"
        files[path] = files[path].replace(old, new)
    files["texts/en.yaml"] = files["texts/zh.yaml"]
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder
