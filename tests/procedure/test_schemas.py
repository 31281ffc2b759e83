"""The committed schemas are those that the code makes, and they know the keys that the readers know."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import jsonschema_rs
import pytest

from chengshu.kernel.resources import shipped
from chengshu.procedure.files import BASE, PackFiles, read_files
from chengshu.procedure.loader import check_files
from chengshu.procedure.ports import built_in
from chengshu.procedure.schemas import FILES, schema_texts, schemas
from chengshu.procedure.sheets import parsed
from tests_support.rich_pack import rich_pack
from tests_support.small_pack import small_pack

COMMITTED = Path(__file__).parents[2] / "schemas"
SCHEMAS = schemas(built_in)
PACKS = sorted(path.parent for path in shipped("packs", "cn").glob("*/pack.yaml"))


def test_the_committed_schemas_are_those_that_the_code_makes():
    wanted = schema_texts(built_in)
    assert {path.name: path.read_text("utf-8") for path in COMMITTED.glob("*.json")} == wanted


def plain(text: str, name: str = "x"):
    return json.loads(json.dumps(parsed(text, name), default=str))


def schema_name(path: str) -> str:
    path = path.removeprefix(BASE)
    return FILES.get(path) or FILES[path.split("/")[0]]


@pytest.mark.parametrize(
    "files", [rich_pack(), small_pack(), *map(read_files, PACKS)], ids=lambda files: files.root
)
def test_a_sound_pack_fits_the_schemas(files):
    for path, text in files.texts.items():
        if path.endswith(".yaml"):
            validator = jsonschema_rs.validator_for(SCHEMAS[schema_name(path)])
            assert [
                f"{path}: {error}" for error in validator.iter_errors(plain(text, files.name(path)))
            ] == []


class Strangers:
    """Puts an unknown key into every mapping of fixed keys, and remembers where."""

    def __init__(self) -> None:
        self.at: dict[str, str] = {}
        self.known: dict[str, set[str]] = {}

    def mark(self, node, schema, where):
        if "anyOf" in schema and isinstance(node, dict):
            schema = next(part for part in schema["anyOf"] if part.get("type") == "object")
        if isinstance(node, list) and "items" in schema:
            for item in node:
                self.mark(item, schema["items"], f"{where}[]")
        elif isinstance(node, dict) and schema.get("properties"):
            for key, value in list(node.items()):
                self.mark(value, schema["properties"].get(key, {}), f"{where}.{key}")
            key = f"zz{len(self.at)}"
            # A fact and a field of a form are read alike.
            where = where.replace(".forms.*.fields.*", ".facts.*")
            self.at[key] = where
            self.known[where] = set(schema["properties"])
            node[key] = 1
        elif isinstance(node, dict) and isinstance(schema.get("additionalProperties"), dict):
            for value in node.values():
                self.mark(value, schema["additionalProperties"], f"{where}.*")


@pytest.mark.parametrize(
    "path", [path for path in rich_pack().texts if path.endswith(".yaml")] + ["decisions/level.yaml"]
)
def test_the_schema_knows_the_keys_that_the_reader_knows(path):
    if path.startswith(("cases/", "texts/")):
        pytest.skip("golden cases are read by the same constants; texts have no fixed keys")
    asked, known = defaultdict(set), {}
    for files in (rich_pack(), small_pack()):
        if path not in files.texts:
            continue
        strangers = Strangers()
        data = plain(files.texts[path])
        strangers.mark(data, SCHEMAS[schema_name(path)], "")
        known |= strangers.known
        changed = PackFiles(files.root, {**files.texts, path: json.dumps(data)})
        for fault in check_files(changed).faults:
            if fault.code == "pack-key-unknown" and (key := fault.title.split("'")[1]) in strangers.at:
                asked[strangers.at.pop(key)] |= set(fault.remedy.removeprefix("known: ").split(", "))
        assert strangers.at == {}, "the reader takes these unknown keys"
    # Some keys are known only beside others (columns with rows): the union over all places is compared.
    assert asked == known
