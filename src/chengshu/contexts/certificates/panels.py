"""What the page of a case shows of ours: its certificates, documents, register entries and deposited evidence."""

from __future__ import annotations

import datetime as dt

from django.db.models import Model, Value
from django.urls import reverse

from chengshu.contexts.cases import api as cases
from chengshu.contexts.certificates import queries
from chengshu.contexts.certificates.models import Certificate, Document, Evidence, RegisterEntry
from chengshu.contexts.identity.api import Account
from chengshu.kernel.terms import legal_day

Line = cases.CasePanelLine
TONES = {"active": "good", "pending": "wait", "suspended": "warn", "revoked": "bad", "expired": "bad"}
WAITS = {"zh": "正在生成", "en": "being made"}


def case_panel(case_id: str, viewer: Account, now: dt.datetime) -> list[Line]:
    """Return our lines for the page of a case; whoever may open the case may see them."""
    on, there = legal_day(now), _there(case_id)
    lines = []
    if Certificate in there:
        held = Certificate.objects.filter(case_id=case_id).order_by("pk")
        lines += [_certificate(row, viewer, on) for row in held]
    if RegisterEntry in there:
        entered = RegisterEntry.objects.filter(case_id=case_id).order_by("pk")
        lines += [_entry(row, on) for row in entered]
    documents = queries.documents_of(case_id) if Document in there else []
    # A document names people in clear: it is for those who see the case whole.
    whole = bool(documents) and cases.access_case(case_id, viewer, now).level == cases.FULL
    for document in documents:
        made = document.made_at is not None
        url = reverse("certificates:document", args=[document.pk]) if made and whole else ""
        title = {"zh": document.title_zh, "en": document.title_en or document.title_zh}
        number = {"zh": document.number, "en": document.number}
        lines.append(
            Line(
                title,
                number,
                url,
                {"zh": "已盖章", "en": "sealed"} if made else WAITS,
                "good" if made else "wait",
            )
        )
    for item in queries.evidence_of(case_id) if Evidence in there else ():
        text = {"zh": f"存证 {item.leaf_id}", "en": f"ledger entry {item.leaf_id}"}
        url = reverse("ledger:receipt", args=[item.leaf_id])
        lines.append(
            Line({"zh": item.name, "en": item.name}, text, url, {"zh": "已存证", "en": "deposited"}, "good")
        )
    return lines


def _there(case_id: str) -> set[type[Model]]:
    """Return which of our tables know a case: most cases are in none or one of them, and that takes one question."""
    kinds = (Certificate, RegisterEntry, Document, Evidence)
    asked = [
        kind.objects.filter(case_id=case_id).order_by().values_list(Value(number))
        for number, kind in enumerate(kinds)
    ]
    return {kinds[number] for (number,) in asked[0].union(*asked[1:])}


def _certificate(row: Certificate, viewer: Account, on: dt.date) -> Line:
    line = queries.line_of(row, on, masked=True)
    url = reverse("certificates:certificate", args=[row.number]) if queries.may_see(row, viewer) else ""
    number = {"zh": row.number, "en": row.number}
    if not line.made:
        return Line(line.title, number, url, WAITS, "wait")
    return Line(line.title, number, url, line.state_words, TONES.get(line.state, "plain"))


def _entry(row: RegisterEntry, on: dt.date) -> Line:
    register = queries.register(row.register)
    name = (
        {"zh": register.title_zh, "en": register.title_en}
        if register
        else {"zh": row.register, "en": row.register}
    )
    state = queries.entry_state(row, on)
    return Line(
        {"zh": row.title, "en": row.title},
        {"zh": f"{name['zh']} 第 {row.number} 号", "en": f"{name['en']} no. {row.number}"},
        reverse("registers:entry", args=[row.register, row.number]),
        ENTRY_WORDS[state],
        TONES.get(state, "plain"),
    )


ENTRY_WORDS = {
    "active": {"zh": "有效", "en": "in force"},
    "pending": {"zh": "尚未生效", "en": "not yet in force"},
    "expired": {"zh": "有效期已满", "en": "expired"},
    "cancelled": {"zh": "已注销", "en": "cancelled"},
    "lapsed": {"zh": "已失效", "en": "lapsed"},
    "replaced": {"zh": "已被替换", "en": "replaced"},
    "transferred": {"zh": "已转移", "en": "transferred"},
}
