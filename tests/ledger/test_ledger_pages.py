"""A citizen looks an entry up and takes its proof along; a program does the same."""

import pytest
from ledger_support import NOW, fill, running_witness

from chengshu.contexts.ledger import api

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_empty_ledger_says_so(client):
    assert "还没有存证" in client.get("/ledger/").content.decode()
    assert "还没有检查点" in client.get("/ledger/head").content.decode()
    assert client.get("/ledger/checkpoint").status_code == 404
    assert client.get("/api/v1/ledger/checkpoint").status_code == 404


def test_entries_are_listed_searched_and_paged(client):
    leaves = fill(120)
    fill(1, kind="personal-read", start=900)
    page = client.get("/ledger/").content.decode()
    assert page.count('scope="row"') == 50 and "case:900" in page
    older = client.get("/ledger/", {"before": leaves[71].id}).content.decode()
    assert "case:70" in older and "case:71" not in older and "回到最新" in older
    found = client.get("/ledger/", {"reference": "case:11"}).content.decode()
    assert found.count('scope="row"') == 11
    kinds = client.get("/ledger/", {"kind": "personal-read"}).content.decode()
    assert kinds.count('scope="row"') == 1
    assert "没有符合条件的存证" in client.get("/ledger/", {"reference": "nothing"}).content.decode()
    assert client.get("/ledger/", {"before": "'; DROP"}).status_code == 200


def test_an_entry_shows_its_proof(client):
    leaf = fill(5)[2]
    waiting = api.deposit("case.event", "case:2", {}, now=NOW)
    page = client.get(f"/ledger/entries/{leaf.id}").content.decode()
    assert "已核验" in page and leaf.digest in page and f"/ledger/entries/{waiting.id}" in page
    assert "等待编号" in client.get(f"/ledger/entries/{waiting.id}").content.decode()
    assert client.get(f"/ledger/entries/{leaf.id}/proof").content.decode() == api.receipt(leaf.id).as_text()
    for address in (
        "/ledger/entries/999",
        "/ledger/entries/999/proof",
        f"/ledger/entries/{waiting.id}/proof",
    ):
        assert client.get(address).status_code == 404


def test_the_checkpoint_page_names_keys_and_witnesses(client, tmp_path, own_var):
    fill(3)
    with running_witness(tmp_path / "w", log_file=own_var / "ledger/keys.txt") as (witness, address):
        api.add_witness(address)
        api.sequence(NOW)
    page = client.get("/ledger/head").content.decode()
    assert api.log_keys()[0] in page and witness.signer.name in page
    assert client.get("/ledger/checkpoint").content.decode() == api.checkpoint()
    assert client.get("/ledger/keys.txt").content.decode().splitlines() == api.log_keys()


def test_the_log_is_served_as_tiles(client, own_var):
    fill(300)
    for name in ("tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/1/000.p/1"):
        answer = client.get(f"/ledger/{name}")
        assert b"".join(answer.streaming_content) == (own_var / "ledger" / name).read_bytes()
        assert "immutable" in answer["Cache-Control"]
    for name in ("tile/0/../../keys.txt", "tile/0/002", "tile/9999/000", "tile/0/000.p/x"):
        assert client.get(f"/ledger/{name}").status_code == 404


def test_the_api_lists_proves_and_signs(client):
    leaf = fill(5)[2]
    waiting = api.deposit("case.event", "case:9", {}, now=NOW)
    body = client.get("/api/v1/ledger/entries", {"number": 2}).json()
    assert [item["reference"] for item in body["items"]] == ["case:9", "case:4"]
    rest = client.get("/api/v1/ledger/entries", {"before": body["next_before"], "number": 100}).json()
    assert len(rest["items"]) == 4 and rest["next_before"] is None
    assert client.get(f"/api/v1/ledger/entries/{leaf.id}").json()["digest"] == leaf.digest
    proof = client.get(f"/api/v1/ledger/entries/{leaf.id}/proof").json()
    assert proof == {**api.receipt(leaf.id).to_dict(), "proof": list(api.receipt(leaf.id).proof)}
    head = client.get("/api/v1/ledger/checkpoint").json()
    assert head["size"] == 5 and head["note"] == api.checkpoint()
    assert client.get(f"/api/v1/ledger/entries/{waiting.id}/proof").status_code == 409
    unknown = client.get("/api/v1/ledger/entries/999999999999/proof")
    assert unknown.status_code == 404 and unknown["Content-Type"] == "application/problem+json"
