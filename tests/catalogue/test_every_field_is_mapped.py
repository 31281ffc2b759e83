"""One source for each fact: every field of every table, form, API and source is a data element, or CI fails."""

from types import SimpleNamespace

import pytest

from chengshu.contexts.catalogue import api, mapping
from chengshu.interfaces.rest.api import api as rest
from chengshu.kernel.problems import Problem
from chengshu.kernel.resources import shipped


def test_every_field_of_every_table_form_api_and_source_is_mapped(loaded):
    missing = api.unmapped()
    assert not missing, "\n".join(["fields without a meaning:", *missing])


def test_the_mapping_speaks_of_nothing_that_is_gone(loaded):
    stale = api.stale_mappings()
    assert not stale, f"remove from catalogue/mapping.yaml: {', '.join(stale)}"


def test_the_check_looks_at_all_four_kinds(loaded):
    counts = {}
    for field in api.fields():
        counts[field.kind] = counts.get(field.kind, 0) + 1
    assert set(counts) == {"table", "form", "api", "source"}
    assert counts["table"] > 300 and counts["api"] > 100 and counts["form"] > 20 and counts["source"] > 30


def a_mapping():
    return mapping.read_mapping(shipped("districts", "baoan", "catalogue", "mapping.yaml"))


def test_a_new_column_fails_until_it_is_mapped():
    column = SimpleNamespace(name="shoe_size", column="shoe_size")
    novel = SimpleNamespace(_meta=SimpleNamespace(label="catalogue.Novel", get_fields=lambda: [column]))
    (line,) = list(mapping.unmapped(a_mapping(), mapping.table_fields([novel]), []))
    assert line == "table catalogue.Novel: shoe_size is not mapped: add it to catalogue/mapping.yaml"


def test_a_new_api_property_and_parameter_fail_until_they_are_mapped():
    schema = {
        "components": {"schemas": {"Out": {"properties": {"shoe_size": {}}}}},
        "paths": {"/x": {"get": {"parameters": [{"name": "colour_of_hat"}]}}},
    }
    lines = mapping.unmapped(a_mapping(), mapping.api_fields(schema), [])
    assert [line.split(" is ")[0] for line in lines] == ["api Out: shoe_size", "api GET /x: colour_of_hat"]


def test_a_form_field_without_a_known_element_fails(tmp_path):
    (tmp_path / "a-pack").mkdir()
    (tmp_path / "a-pack/form.yaml").write_text(
        "facts: {kind: {type: text}}\nforms: {ask: {fields: {hat: {type: text, element: person.hat}}}}\n"
    )
    lines = mapping.unmapped(a_mapping(), mapping.pack_fields(tmp_path), ["person.name"])
    assert lines == [
        "form a-pack: facts.kind is not mapped: add it to catalogue/mapping.yaml",
        "form a-pack: ask.hat is mapped to person.hat, which catalogue/elements.yaml does not declare",
    ]


def test_a_technical_reason_must_be_declared(tmp_path):
    file = tmp_path / "mapping.yaml"
    file.write_text(
        "technical: {key: {zh: 键, en: key}}\nnames: {a: ~key, b: ~because}\ntables: {}\nschemas: {}\n"
    )
    with pytest.raises(Problem) as caught:
        mapping.read_mapping(file)
    assert (caught.value.code, caught.value.where.field) == ("mapping-reason", "b")
    file.write_text("names: {}\n")
    with pytest.raises(Problem) as caught:
        mapping.read_mapping(file)
    assert caught.value.code == "mapping-form"


def test_the_openapi_description_that_is_checked_is_the_one_served(client, loaded):
    served = client.get("/api/v1/openapi.json").json()
    assert set(served["paths"]) == set(rest.get_openapi_schema()["paths"])
