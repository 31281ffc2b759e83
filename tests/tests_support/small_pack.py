"""A small sound pack as texts; tests change one thing in it and see what the checker says."""

from __future__ import annotations

from chengshu.procedure.files import PackFiles

TEXTS = {
    "pack.yaml": """\
id: small
version: 1.0.0
jurisdiction: "440306"
valid_from: 2026-01-01
basis:
  - {id: law, title: 小法, issuer: 某机关, kind: law, date: 2020-01-01, in_force: 2020-02-01}
roles:
  clerk: {holder: department}
  chief: {holder: role, role: operator}
""",
    "articles.yaml": """\
articles:
  - {article: "law:1", status: executed, gist: {zh: 甲, en: One}}
  - {article: "law:2", status: executed, gist: {zh: 乙, en: Two}}
  - {article: "law:3", status: exempt, why: Not ours, gist: {zh: 丙, en: Three}}
""",
    "form.yaml": """\
facts:
  kind: {type: choice, choices: [plain, odd], element: case.kind, required: true}
  amount: {type: money, element: case.amount}
  names: {type: texts, element: case.names, privacy: personal}
forms:
  decide:
    fields:
      verdict: {type: choice, choices: [good, bad], element: case.verdict, required: true}
      chosen: {type: text, options: facts.names, element: case.name, privacy: personal}
      note: {type: text, element: case.note, most: 20}
""",
    "states.yaml": """\
start: received
keeps:
  tries: {type: integer, initial: 0}
opening: {by: [system], cite: ["law:1"]}
administration: {by: [chief], cite: ["law:1"]}
states:
  received: {tasks: [clerk]}
  late: {tasks: [clerk, chief]}
  good: {final: true, outcome: good, outcome_kind: ended}
  bad: {final: true, outcome: bad, outcome_kind: ended}
transitions:
  - id: decide-good
    command: decide
    from: [received, late]
    to: good
    by: [clerk]
    when: "data.verdict == 'good'"
    form: decide
    sets: {tries: case.tries + 1}
    cite: ["law:2"]
  - id: decide-bad
    command: decide
    from: [received, late]
    to: bad
    by: [clerk]
    decides: [level]
    when: "data.verdict == 'bad' and decided.high"
    form: decide
    cite: ["law:2"]
  - id: expired
    from: [received, late]
    to: late
    by: [system]
    effects:
      - do: notify
        with: {role: "'chief'", text: "'late'"}
    cite: ["law:2"]
""",
    "deadlines.yaml": """\
deadlines:
  answer:
    starts_on: [received]
    runs_while: [received, late]
    term: 2 workdays
    amber: 1 workday
    on_expiry: expired
    cite: ["law:2"]
""",
    "decisions/level.yaml": """\
id: level
outputs: {high: {type: boolean}}
rows:
  - {id: much, when: "facts.amount != null and facts.amount > parameters.limit", then: {high: true}, cite: ["law:2"]}
  - {id: other, then: {high: "facts.kind == 'odd'"}, cite: ["law:2"]}
""",
    "parameters/limits.yaml": """\
limit:
  type: money
  last_checked: 2026-11-01
  values:
    - {from: 2026-01-01, value: 100000, cite: ["law:1"]}
""",
    "texts/zh.yaml": """\
title: 小规程
case: "{facts.kind}"
states: {received: 已收, late: 已迟, good: 好, bad: 坏}
outcomes: {good: 好, bad: 坏}
commands: {decide: 决定, expired: 超期}
sentences: {opened: 打开, decide-good: "{actor}决定：好", decide-bad: "{actor}决定：坏", expired: 超期}
terms: {answer: 答复}
roles: {clerk: 经办, chief: 主管}
notices: {late: 迟了}
fields:
  kind: {label: 种类}
  amount: {label: 金额}
  names: {label: 名字}
  verdict: {label: 决定}
  chosen: {label: 名字}
  note: {label: 说明}
choices:
  kind: {plain: 平, odd: 奇}
  verdict: {good: 好, bad: 坏}
""",
}
TEXTS["texts/en.yaml"] = TEXTS["texts/zh.yaml"]


def changed(root: str, texts: dict[str, str], changes: dict[str, tuple[str, str] | None]) -> PackFiles:
    """Return a pack's files with (old, new) replaced in some; ``None`` drops a file. ``states__yaml`` is states.yaml."""
    texts = dict(texts)
    for key, change in changes.items():
        path = key.replace("__", ".").replace("_in_", "/")
        if change is None:
            del texts[path]
            continue
        old, new = change
        assert old in texts[path], f"{path} does not hold {old!r}"
        texts[path] = texts[path].replace(old, new, 1)
    return PackFiles(root, texts)


def small_pack(**changes: tuple[str, str] | None) -> PackFiles:
    """Return the small pack, changed as ``changed`` says."""
    return changed("small", TEXTS, changes)
