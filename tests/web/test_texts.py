from __future__ import annotations

import gettext
import io
import re
from pathlib import Path

from chengshu.site import texts

HAN = re.compile(r"[\u4e00-\u9fff]")
SITE = Path(texts.PACKAGE)


def test_every_text_has_an_english_one():
    assert texts.missing(texts.read_po(), texts.collect()) == [], "write them in locale/en, then compile"


def test_the_compiled_catalogue_is_the_committed_source():
    with texts.PO.with_suffix(".mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    for text, english in texts.read_po().items():
        assert catalogue.gettext(text) == (english or text)


def test_english_texts_keep_the_names_of_their_values():
    names = re.compile(r"%\((\w+)\)s")
    for text, english in texts.read_po().items():
        if english:
            assert sorted(names.findall(text)) == sorted(names.findall(english)), text


def test_no_text_of_a_template_escapes_translation():
    """Outside tags, comments and the page of last resort no Chinese character stands in a template."""
    for path in SITE.rglob("templates/**/*.html"):
        if path.name == "500.html":
            continue
        source = re.sub(
            r"{#.*?#}|{% comment .*?endcomment %}", "", path.read_text(encoding="utf-8"), flags=re.S
        )
        source = re.sub(
            r"{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}", "", source, flags=re.S
        )
        source = re.sub(r"[，：（）、。！“”·…—－–《》；？]|枢|中文", "", source)
        assert not HAN.search(source), f"{path}: {HAN.search(source)}"


def test_a_catalogue_written_here_is_read_by_the_standard_library(tmp_path):
    target = tmp_path / "x.mo"
    texts.write_mo({"首页": "Home", "无": "", "共 %(n)s 行": "rows: %(n)s"}, target)
    read = gettext.GNUTranslations(io.BytesIO(target.read_bytes()))
    assert read.gettext("首页") == "Home"
    assert read.gettext("无") == "无"
    assert read.gettext("共 %(n)s 行") == "rows: %(n)s"


def test_what_is_written_to_the_po_file_is_read_back(tmp_path):
    target = tmp_path / "x.po"
    entries = {'引号“"”和\n换行': 'a "quote" and\na line', "空": ""}
    texts.write_po(entries, {}, target)
    assert texts.read_po(target) == entries
