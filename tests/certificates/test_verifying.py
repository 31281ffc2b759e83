"""Anyone verifies a certificate, offline and with other people's tools; what was tampered with is refused."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import io
import json
import subprocess

import pytest
from click.testing import CliRunner
from joserfc import jws
from joserfc.jwk import ECKey

from chengshu.contexts.certificates import api, domain, keys, making, qr, store, suites, trust, verification
from chengshu.contexts.certificates.credentials import read_bit
from chengshu.contexts.certificates.models import StatusList
from chengshu.site.cli.certificate import app

NEXT_DAY = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


@pytest.fixture
def made(certificate):
    return certificate.issues.get()


@pytest.fixture
def pdf(made):
    return store.read(made.pdf_digest)


@pytest.fixture
def trust_file(made, tmp_path):
    path = tmp_path / "trust.json"
    path.write_text(json.dumps(api.trust_json(NEXT_DAY), ensure_ascii=False), encoding="utf-8")
    return path


def flipped(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


def test_a_sealed_pdf_verifies_by_its_seal_and_by_the_credential_inside(pdf):
    verdict = api.verify(pdf, NEXT_DAY)
    assert (verdict.reasons, verdict.kind, verdict.ok, verdict.number) == ([], "pdf", True, "DI-2026-000001")


def test_a_pdf_that_was_changed_or_added_to_is_refused(pdf):
    for content in (flipped(pdf, len(pdf) // 3), pdf + b"\n%more\n", pdf[:-40], b"%PDF-1.7 nothing"):
        assert not api.verify(content, NEXT_DAY).genuine


def test_a_credential_with_another_name_is_refused(made):
    head, body, signature = made.credential.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    said["credentialSubject"]["name"] = "别的公司"
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    assert not api.verify(f"{head}.{forged}.{signature}".encode(), NEXT_DAY).genuine


def test_an_unknown_issuer_is_refused_and_one_on_a_second_list_believed(made, trust_file):
    own = trust.read_trust(trust_file)
    nobody = dataclasses.replace(own, keys={})
    refused = verification.verify(made.credential.encode(), nobody, NEXT_DAY)
    assert not refused.genuine and "信任名单" in refused.reasons[0]["zh"]
    elsewhere = trust.merge([nobody, own])
    assert verification.verify(made.credential.encode(), elsewhere, NEXT_DAY).ok


def test_the_qr_code_says_little_and_verifies_alone(made):
    signed = qr.signed_part(made.qr_text)
    assert len(made.qr_text) < 480
    verdict = api.verify(made.qr_text.encode(), NEXT_DAY)
    assert (verdict.kind, verdict.ok, verdict.claims) == ("qr", True, {})
    assert api.verify(signed.encode(), NEXT_DAY).ok
    assert not api.verify(made.qr_text.replace("?q=ey", "?q=fy").encode(), NEXT_DAY).genuine


def test_without_a_status_list_nobody_claims_to_know_whether_it_is_in_force(made, trust_file):
    bare = dataclasses.replace(trust.read_trust(trust_file), statuses={})
    verdict = verification.verify(made.credential.encode(), bare, NEXT_DAY)
    assert verdict.genuine and verdict.in_force is None


def test_the_command_line_verifies_offline_and_says_why_not(
    made, pdf, trust_file, tmp_path, step, certificate
):
    file = tmp_path / "c.pdf"
    file.write_bytes(pdf)
    runner = CliRunner()
    call = ["verify", str(file), "--trust", str(trust_file), "--at", "2026-11-24"]
    good = runner.invoke(app, call)
    assert good.exit_code == 0 and "genuine, in force" in good.output
    late = runner.invoke(app, [*call[:-1], "2030-01-01", "--json"])
    assert late.exit_code == 1 and json.loads(late.output)["state"] == "expired"
    file.write_bytes(flipped(pdf, 2000))
    assert "NOT genuine" in runner.invoke(app, call).output
    file.write_text(made.qr_text)
    assert runner.invoke(app, call).exit_code == 0


def test_a_key_in_wrong_hands_signs_nothing_that_counts(step, certificate, made):
    after = step.now + dt.timedelta(days=1)
    keys.rotate("district", "credential", after, compromised_at=certificate.issued_at - dt.timedelta(hours=1))
    assert not api.verify(made.credential.encode(), after).genuine


def test_old_certificates_verify_after_the_keys_have_changed(step, certificate, made, pdf):
    after = step.now + dt.timedelta(days=1)
    keys.rotate("district", "credential", after)
    keys.rotate("district", "seal", after)
    keys.rotate("district", "authority", after)
    assert api.verify(made.credential.encode(), after).ok
    assert api.verify(pdf, after).ok


def test_certificates_stay_good_when_the_city_moves_to_another_address(
    step, certificate, made, pdf, settings
):
    settings.PUBLIC_URL = "https://new.example"
    assert api.verify(made.credential.encode(), NEXT_DAY).ok
    assert api.verify(pdf, NEXT_DAY).ok
    assert api.verify(made.qr_text.encode(), NEXT_DAY).ok
    step(certificate.case_id, "revoke_certificate", type="data-ip", reason="撤销")
    assert api.verify(pdf, NEXT_DAY).state == "revoked"


def test_an_independent_library_verifies_the_credential_and_its_status(made):
    jwk = api.trust_json(NEXT_DAY)["issuers"]
    key = next(k for i in jwk for k in i["keys"] if k["use"] == "credential")
    opened = jws.deserialize_compact(made.credential, ECKey.import_key(key["jwk"]), algorithms=["ES256"])
    assert opened.headers()["typ"] == "vc+jwt"
    said = json.loads(opened.payload)
    assert said["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert {entry["statusPurpose"] for entry in said["credentialStatus"]} == {"revocation", "suspension"}
    statuses = api.trust_json(NEXT_DAY)["statuses"]
    entry = said["credentialStatus"][0]
    listed = jws.extract_compact(statuses[entry["statusListCredential"]].encode())
    encoded = json.loads(listed.payload)["credentialSubject"]["encodedList"]
    assert read_bit(encoded, int(entry["statusListIndex"])) is False


def test_openssl_verifies_the_seal(pdf, tmp_path):
    """The signature as openssl sees it: CMS over the byte ranges, chain up to the district's authority."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    ranges = [int(each) for each in signature.byte_range]
    signed = pdf[ranges[0] : ranges[0] + ranges[1]] + pdf[ranges[2] : ranges[2] + ranges[3]]
    (tmp_path / "content").write_bytes(signed)
    (tmp_path / "cms").write_bytes(bytes(signature.pkcs7_content))
    roots = [
        k["certificate"]
        for i in api.trust_json(NEXT_DAY)["issuers"]
        for k in i["keys"]
        if k["use"] == "authority"
    ]
    (tmp_path / "root.pem").write_text("".join(roots))

    def openssl(content):
        return subprocess.run(
            ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "cms", "-content", content,
             "-CAfile", tmp_path / "root.pem", "-purpose", "any", "-attime", str(int(NEXT_DAY.timestamp())),
             "-out", "/dev/null"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert openssl(tmp_path / "content").returncode == 0, openssl(tmp_path / "content").stderr
    (tmp_path / "other").write_bytes(flipped(signed, 900))
    assert openssl(tmp_path / "other").returncode != 0


def test_keys_are_for_their_owner_only(made, settings):
    files = list((settings.VAR_DIR / "keys").glob("issuer-*.pem"))
    assert len(files) == 4 and all(path.stat().st_mode & 0o077 == 0 for path in files)
    files[0].chmod(0o644)
    from chengshu.contexts.certificates.models import IssuerKey
    from chengshu.kernel.problems import Problem

    row = IssuerKey.objects.get(kid=files[0].stem.removeprefix("issuer-"))
    with pytest.raises(Problem, match="他人读取"):
        keys.signing_key(row.issuer, row.use, NEXT_DAY)


def test_a_text_that_nests_without_end_is_no_certificate_and_breaks_nothing(client, db):
    deep = suites.b64(b"[" * 2_500)
    for text in (f"{deep}.{deep}.x", f"{deep}.{deep}.x~{deep}~"):
        page = client.get("/verify/", {"q": text})
        assert page.status_code == 200


def test_a_clean_list_of_the_same_issuer_does_not_stand_in_for_the_one_that_is_named(certificate):
    issuer = making.issuer_of(certificate)
    clean = StatusList.objects.create(issuer=issuer, size=131_072, opened_at=NEXT_DAY)
    said, made = api.trust_json(NEXT_DAY), certificate.issues.get()
    named = making.list_url(made.status_list_id)
    for purpose in ("token", "revocation", "suspension"):
        said["statuses"][f"{named}/{purpose}"] = said["statuses"][f"{making.list_url(clean.pk)}/{purpose}"]
    said = json.loads(json.dumps(said))
    for text in (made.credential, made.qr_text):
        verdict = verification.verify(text.encode(), trust.from_json(said), NEXT_DAY)
        assert not verdict.genuine and "状态列表" in verdict.reasons[0]["zh"]


def test_a_persons_long_name_is_masked_and_an_organisations_is_whole():
    for name, holder_id, said in (
        ("买买提江·吐尔逊", "", "买**·**"), ("John Alexander Smith", "", "J** A** S**"),
        ("阿不都热合曼", "P0000000017", "阿*****"), ("张晓明", "", "张**"),
        ("宝安示例餐饮有限公司", "", "宝安示例餐饮有限公司"), ("老王面馆", "F0000000019", "老王面馆"),
    ):  # fmt: skip
        assert domain.mask_holder(name, holder_id) == said


def test_a_seal_carries_the_authority_that_made_it_after_another_has_followed(certificate):
    seal = keys.signing_key(making.issuer_of(certificate), keys.SEAL, NEXT_DAY)
    root = seal.chain[1]
    keys.rotate(keys.DISTRICT, keys.AUTHORITY, NEXT_DAY)
    assert keys.signing_key(making.issuer_of(certificate), keys.SEAL, NEXT_DAY).chain[1] == root


def test_a_key_that_was_replaced_long_ago_is_still_found_out(certificate, made):
    kid = keys.in_use(making.issuer_of(certificate), keys.CREDENTIAL).kid
    keys.rotate(making.issuer_of(certificate), keys.CREDENTIAL, NEXT_DAY)
    assert api.verify(made.credential.encode(), NEXT_DAY).genuine
    # A key's number may begin with a hyphen.
    done = CliRunner().invoke(app, ["condemn-key", "--since", "2026-11-01T08:00+0800", "--", kid])
    assert done.exit_code == 0, done.output
    assert "密钥" in api.verify(made.credential.encode(), NEXT_DAY).reasons[0]["zh"]
