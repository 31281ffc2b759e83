"""An official looks up what a field means, who answers for it and where it is used."""

import csv
import io

import pytest

from chengshu.contexts.catalogue import api

pytestmark = pytest.mark.django_db


def test_an_empty_catalogue_says_so(client):
    assert "目录还是空的" in client.get("/catalogue/").content.decode()
    assert "还没有登记数源" in client.get("/catalogue/sources").content.decode()
    assert "这份清单还是空的" in client.get("/catalogue/lists/open").content.decode()


def test_elements_are_found_by_word_class_and_grade(client, loaded):
    page = client.get("/catalogue/", {"q": "信用代码"}).content.decode()
    assert "firm.credit_code" in page and "person.name" not in page
    page = client.get("/catalogue/", {"class": "person", "grade": "3", "q": "姓名"}).content.decode()
    assert "person.name" in page and "person.sex" not in page and "firm.name" not in page
    assert "没有符合条件的数据元" in client.get("/catalogue/", {"q": "xyzzy"}).content.decode()
    assert client.get("/catalogue/", {"grade": "x", "page": "-3", "class": "'"}).status_code == 200


def test_an_element_shows_who_is_believed_and_where_it_is_used(client, loaded):
    page = client.get("/catalogue/elements/person.address").content.decode()
    for text in ("居住地址", "个人信息", "public-security.residents", "jzdz", "第 1 版", "存证"):
        assert text in page
    uses = api.where_used("firm.credit_code")
    assert {use.where for use in uses["source"]} == {"market.firms", "tax.taxpayers"}
    assert any(use.where == "subjects.GoldenRecord" for use in api.where_used("subject.name")["table"])
    assert any(use.where == "EntryOut" for use in api.where_used("ledger.digest")["api"])
    assert any(use.where == "grid-verification" for use in api.where_used("case.photo")["form"])
    assert client.get("/catalogue/elements/person.hat").status_code == 404


def test_a_source_shows_columns_purpose_and_duty(client, loaded):
    page = client.get("/catalogue/sources/market.firms").content.decode()
    for text in ("商事主体登记", "统一社会信用代码", "市场主体登记管理条例", "主动共享", "有条件开放"):
        assert text in page
    assert client.get("/catalogue/sources/none.such").status_code == 404
    assert "housing.tenancies" in client.get("/catalogue/sources").content.decode()


def test_the_four_lists_and_their_files(client, loaded):
    sizes = {}
    for name in api.LISTS:
        page = client.get(f"/catalogue/lists/{name}").content.decode()
        answer = client.get(f"/catalogue/lists/{name}.csv")
        rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
        sizes[name] = len(rows) - 1
        assert all(row[0] in page for row in rows[1:]) and len({len(row) for row in rows}) == 1
    assert sizes == {"government": 11, "public-resource": 6, "open": 6, "sharing-duty": 11}
    assert client.get("/catalogue/lists/none").status_code == 404
    assert client.get("/catalogue/lists/none.csv").status_code == 404


def test_a_cell_that_would_be_a_formula_is_made_harmless():
    from chengshu.kernel.spreadsheet import safe_cell

    assert safe_cell("=1+1") == "'=1+1" and safe_cell("名称") == "名称"


def test_the_pages_in_english(client, loaded):
    client.cookies["django_language"] = "en"
    page = client.get("/catalogue/elements/person.name", headers={"accept-language": "en"}).content.decode()
    assert ">Name<" in page and "Grade 3, sensitive" in page


def test_the_api_answers_the_same(client, loaded):
    found = client.get("/api/v1/catalogue/elements", {"q": "phone"}).json()
    assert {item["code"] for item in found} >= {"firm.phone", "person.phone", "subject.phone"}
    one = client.get("/api/v1/catalogue/elements/person.phone").json()
    assert one["grade"] == 3 and one["versions"][0]["number"] == 1
    assert {"kind": "source", "where": "public-security.residents", "name": "lxdh"} in one["uses"]
    assert len(client.get("/api/v1/catalogue/sources").json()) == 11
    assert client.get("/api/v1/catalogue/sources/tax.taxpayers").json()["listing"]["mode"] == "on-demand"
    assert len(client.get("/api/v1/catalogue/lists/open").json()) == 6
    for path in ("elements/x.y", "sources/x.y", "lists/x"):
        assert client.get(f"/api/v1/catalogue/{path}").status_code == 404
