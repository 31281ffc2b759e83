"""A pack's template is a stranger's program: it reaches no file, no network, no package, and it ends."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pypdfium2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from chengshu.contexts.certificates import pdf_signing
from chengshu.contexts.certificates.seal import seal_svg
from chengshu.contexts.certificates.typesetting.press import print_sheet, shipped_template
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
DATA = {
    "issuer": "宝安区知识产权保护中心", "number": "宝知〔2026〕1号", "title": "不予登记决定书", "to": "示例公司",
    "paragraphs": ["经审查，决定不予登记。", "编号" + "a1" * 60], "grounds": ["《办法》第九条"], "date": "2026-11-23",
    "demo": True, "rows": [["名称", "䶮㐂龘数据集"]],
}  # fmt: skip


@pytest.mark.parametrize(
    "template",
    [
        '#read("/etc/passwd")',
        '#read("../../../../../../etc/passwd")',
        '#import "@preview/cetz:0.3.0": *',
        '#import ("@pre" + "view/cetz:0.3.0"): *',
        '#image("https://example.com/x.png")',
        '#read("/missing.txt")',
        "#let f() = { let n = 0; while true { n += 1 } }\n#f()",
        "#panic(1)",
        "#for i in range(30000000) { [a] }",
    ],
)
def test_a_hostile_template_is_refused_and_says_why(template):
    started = time.monotonic()
    with pytest.raises(Problem) as refused:
        print_sheet(template, DATA, now=NOW, seconds=3)
    assert refused.value.code in ("template-broken", "template-slow", "template-stopped")
    assert "root:" not in str(refused.value)
    assert time.monotonic() - started < 20


def test_no_secret_of_the_process_reaches_a_template(monkeypatch):
    monkeypatch.setenv("CHENGSHU_SECRET", "do-not-print-me")
    sheet = print_sheet("#repr(sys.inputs)", DATA, now=NOW)
    assert "do-not-print-me" not in text_of(sheet.pdf)


def test_a_longer_chain_of_certificates_finds_room_in_the_pdf():
    key = ec.generate_private_key(ec.SECP256R1())

    def certificate(number: int) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{number}{'长' * 20}")])
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(number).not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=9))
        return made.sign(key, hashes.SHA256())

    sheet = print_sheet("x", DATA, now=NOW)
    chain = [certificate(number) for number in range(1, 21)]
    sealed = pdf_signing.seal_pdf(sheet.pdf, key, chain, reason="x", place=None, appearance=None, now=NOW)
    assert len(sealed) > len(sheet.pdf) + pdf_signing.RESERVED


def text_of(pdf: bytes) -> str:
    opened = pypdfium2.PdfDocument(pdf)
    try:
        return "".join(page.get_textpage().get_text_range() for page in opened)
    finally:
        opened.close()


def test_a_decision_is_set_in_official_style_with_the_shipped_font():
    sheet = print_sheet(shipped_template("decision"), DATA, now=NOW, seal=seal_svg(DATA["issuer"], demo=True))
    said = text_of(sheet.pdf)
    assert "不予登记决定书" in said and "2026年11月23日" in said.replace(" ", "") and "演示数据" in said
    assert b"NotoSerifSC" in sheet.pdf
    assert sheet.seal_at is not None and sheet.seal_pdf is not None
    page, x, y = sheet.seal_at
    assert page == 1 and 200 < x < 500 and 200 < y < 750


def test_a_notice_shows_rare_characters():
    assert "䶮㐂龘" in text_of(print_sheet(shipped_template("notice"), DATA, now=NOW).pdf)


def test_a_seal_bears_any_length_of_name():
    for name in ("局", "宝安区知识产权保护中心", "深圳市宝安区某某某某某某某某某某管理委员会办公室", '<"&>'):
        assert seal_svg(name, demo=False).count("<text") == len(name[:24]) + 1


def set_with_nothing_known(path):
    """Set a pack's template for a case of which nothing is known: optional facts may all be missing."""
    bare = DATA | {
        "title_en": "", "district": "宝安区", "drill": False, "case_id": "C1", "label": "", "to": None, "rows": [],
        "facts": {}, "kept": {}, "said": {},
    }  # fmt: skip
    own = {other.name: other.read_text(encoding="utf-8") for other in path.parent.glob("*.typ")}
    shipped_ones = {f"{name}.typ": shipped_template(name) for name in ("decision", "notice")}
    try:
        sheet = print_sheet(path.read_text(encoding="utf-8"), bare, now=NOW, extra={**own, **shipped_ones})
    except Problem as problem:
        return f"{path}: {problem}"
    return None if sheet.seal_at else f"{path}: no place for the seal"


def test_every_document_of_the_shipped_packs_is_set_and_has_a_place_for_the_seal():
    paths = sorted(shipped("packs", "cn").glob("*/templates/*.typ"))
    assert len(paths) >= 10
    with ThreadPoolExecutor(2) as pool:
        assert [fault for fault in pool.map(set_with_nothing_known, paths) if fault] == []
