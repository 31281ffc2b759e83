"""A person or a firm signs a PDF with a certificate from Hong Kong, Macao or Guangdong: recognised, or why not."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import override

from chengshu.contexts.cases import api as cases
from chengshu.contexts.cases import papers
from chengshu.contexts.cases.models import Job
from chengshu.contexts.certificates import api, trust
from chengshu.contexts.certificates.signatures import attached, chains, checking, domain, generated, keeping
from chengshu.contexts.certificates.signatures.models import (
    HeldRevocationList,
    SignatureAuthorityChange,
    SignedFile,
    SignedFileCase,
    SignedFileSigner,
)
from chengshu.contexts.ledger import api as ledger
from chengshu.kernel.problems import Problem
from chengshu.site.cli.certificate import app
from tests_support.casework import CELL, firm_facts

MADE = dt.datetime(2026, 1, 5, 1, 0, tzinfo=dt.UTC)
SIGNED = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
NOW = SIGNED + dt.timedelta(hours=5)
MARK = generated.GUANGDONG_HONG_KONG + ".2018.1.1"
POLICIES = [MARK, generated.SAMPLE_PERSON]
PAPER = generated.plain_pdf("I agree")
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def hong_kong():
    return generated.GeneratedAuthority("Test Hong Kong CA", "HK", MADE)


@pytest.fixture(scope="module")
def chan(hong_kong):
    return hong_kong.signer("CHAN TAI MAN", POLICIES)


@pytest.fixture(scope="module")
def on_list(hong_kong):
    marks = (
        domain.Mark(domain.PERSON, generated.SAMPLE_PERSON),
        domain.Mark(domain.ORGANISATION, generated.SAMPLE_FIRM),
    )
    return domain.Authority(
        "test-hk", {"zh": "测试香港认证机构", "en": "Test HK"}, "HK", hong_kong.certificates, generated.GUANGDONG_HONG_KONG,
        marks, MADE.date(), None, "《电子签名法》第二十六条",
    )  # fmt: skip


@pytest.fixture(scope="module")
def clean(hong_kong):
    """The revocation list of an hour ago: nobody is on it."""
    return hong_kong.revocation_list(NOW - dt.timedelta(hours=1), NOW + DAY)


def judged(pdf, authorities, *lists, now=NOW, received=None):
    return checking.check_pdf(pdf, domain.Believed(tuple(authorities), lists), now, received)


def only(found):
    assert len(found) == 1
    return found[0]


def why(found):
    return "；".join(each["zh"] for each in found.reasons)


def test_a_person_of_hong_kong_is_recognised_masked_with_the_ground(chan, on_list, clean):
    found = only(judged(generated.sign_pdf(PAPER, chan, SIGNED), [on_list], clean))
    assert (found.outcome, why(found)) == (domain.RECOGNISED, "")
    assert found.signer == "C** T** M**" and found.holder == domain.PERSON and found.jurisdiction == "HK"
    assert found.signed_at == "2026-11-23 10:00"
    said = domain.sentence(dataclasses.asdict(found))
    assert "C** T** M**" in said["zh"] and "认可依据：《电子签名法》第二十六条" in said["zh"]


def test_a_firm_is_named_whole_and_who_holds_its_key_is_masked(hong_kong, on_list, clean):
    firm = hong_kong.signer("LEI KA WAI", [MARK, generated.SAMPLE_FIRM], organisation="Lucky Trading Ltd")
    found = only(judged(generated.sign_pdf(PAPER, firm, SIGNED), [on_list], clean))
    assert (found.outcome, found.organisation, found.signer) == (
        domain.RECOGNISED,
        "Lucky Trading Ltd",
        "L** K** W**",
    )


def test_a_class_may_be_told_by_what_stands_in_the_subject(hong_kong, on_list, clean):
    post = hong_kong.signer("CHAN TAI MAN", [MARK], organisation="Hongkong Post e-Cert (Personal)")
    marks = (domain.Mark(domain.PERSON, "O=Hongkong Post e-Cert (Personal)"),)
    pdf = generated.sign_pdf(PAPER, post, SIGNED)
    assert only(judged(pdf, [dataclasses.replace(on_list, marks=marks)], clean)).outcome == domain.RECOGNISED
    assert "类别" in why(only(judged(pdf, [on_list], clean)))


def test_an_unknown_authority_is_refused_by_its_name(on_list, clean):
    stranger = generated.GeneratedAuthority("Somebody CA", "HK", MADE)
    pdf = generated.sign_pdf(PAPER, stranger.signer("CHAN TAI MAN", POLICIES), SIGNED)
    found = only(judged(pdf, [on_list], clean))
    assert found.outcome == domain.REFUSED and "不在信任名单内：Somebody CA Signing" in why(found)


def test_an_authority_that_only_bears_the_name_of_one_on_the_list_is_refused(on_list, clean):
    forged = generated.GeneratedAuthority("Test Hong Kong CA", "HK", MADE)
    found = only(judged(generated.sign_pdf(PAPER, forged.signer("CHAN", POLICIES), SIGNED), [on_list], clean))
    assert found.outcome == domain.REFUSED and "不在信任名单内" in why(found)


def test_expired_when_it_was_signed_is_refused_and_expired_since_is_in_doubt(hong_kong, on_list, clean):
    old = hong_kong.signer("CHAN TAI MAN", POLICIES, until=SIGNED - DAY)
    late = generated.sign_pdf(PAPER, old, SIGNED)
    assert "签名时证书已过期" in why(only(judged(late, [on_list], clean)))
    early = generated.sign_pdf(PAPER, old, SIGNED - 5 * DAY)
    assert only(judged(early, [on_list], clean)).outcome == domain.DOUBTFUL
    before = hong_kong.revocation_list(SIGNED - 2 * DAY, SIGNED)
    there = only(judged(early, [on_list], before, clean, received=SIGNED - 4 * DAY))
    assert there.outcome == domain.RECOGNISED, why(there)
    late_only = only(judged(early, [on_list], clean, received=SIGNED - 4 * DAY))
    assert late_only.outcome == domain.DOUBTFUL and "到期以后" in why(late_only)


def test_revoked_before_signing_is_refused_and_after_it_counts_if_it_was_there(hong_kong, chan, on_list):
    pdf = generated.sign_pdf(PAPER, chan, SIGNED)

    def with_list(revoked_at, received=None):
        held = hong_kong.revocation_list(NOW - dt.timedelta(hours=1), NOW + DAY, [(chan, revoked_at)])
        return only(judged(pdf, [on_list], held, received=received))

    refused = with_list(SIGNED - DAY)
    assert refused.outcome == domain.REFUSED and "签名时证书已被吊销（2026-11-22）" in why(refused)
    since = SIGNED + dt.timedelta(hours=2)
    assert with_list(since).outcome == domain.DOUBTFUL
    assert with_list(since, received=SIGNED + dt.timedelta(hours=1)).outcome == domain.RECOGNISED


def test_no_revocation_list_or_a_stale_one_is_said(hong_kong, chan, on_list):
    pdf = generated.sign_pdf(PAPER, chan, SIGNED)
    none = only(judged(pdf, [on_list]))
    assert none.outcome == domain.DOUBTFUL and "没有该机构的吊销列表" in why(none)
    stale = only(judged(pdf, [on_list], hong_kong.revocation_list(SIGNED - 9 * DAY, SIGNED - 2 * DAY)))
    assert stale.outcome == domain.DOUBTFUL and "吊销列表已过期（2026-11-21）" in why(stale)


def test_a_list_that_somebody_else_has_signed_says_nothing(chan, on_list):
    forged = generated.GeneratedAuthority("Test Hong Kong CA", "HK", MADE)
    held = forged.revocation_list(NOW - dt.timedelta(hours=1), NOW + DAY)
    found = only(judged(generated.sign_pdf(PAPER, chan, SIGNED), [on_list], held))
    assert found.outcome == domain.DOUBTFUL


@pytest.mark.parametrize("policies", [[], [generated.SAMPLE_PERSON], ["2.16.344.8.2.2008.8101"]])
def test_a_certificate_without_the_mark_of_mutual_recognition_is_refused(hong_kong, on_list, clean, policies):
    found = only(
        judged(generated.sign_pdf(PAPER, hong_kong.signer("A B", policies), SIGNED), [on_list], clean)
    )
    assert found.outcome == domain.REFUSED and "没有互认策略标识" in why(found)


def test_a_suspended_authority_counts_before_and_not_after(chan, on_list, clean):
    pdf = generated.sign_pdf(PAPER, chan, SIGNED)

    def suspended(since, received=None):
        changes = (domain.Change(domain.SUSPENDED, since),)
        return only(judged(pdf, [dataclasses.replace(on_list, changes=changes)], clean, received=received))

    assert "签名时对该机构的认可已暂停" in why(suspended(SIGNED - DAY))
    after = SIGNED + dt.timedelta(hours=2)
    assert suspended(after).outcome == domain.DOUBTFUL
    assert suspended(after, received=SIGNED + dt.timedelta(hours=1)).outcome == domain.RECOGNISED
    over = dataclasses.replace(on_list, valid_to=(SIGNED - DAY).date())
    assert "已到期" in why(only(judged(pdf, [over], clean)))


def test_an_altered_document_is_refused_wherever_it_was_altered(chan, on_list, clean):
    pdf = generated.sign_pdf(PAPER, chan, SIGNED)
    changed = only(judged(pdf.replace(b"I agree", b"I doubt"), [on_list], clean))
    assert changed.outcome == domain.REFUSED and "改动" in why(changed)
    import io

    from pyhanko.pdf_utils.generic import NameObject, TextStringObject
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    writer.root[NameObject("/Added")] = TextStringObject("more")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    added = only(judged(out.getvalue(), [on_list], clean))
    assert added.outcome == domain.REFUSED and "没有覆盖整份文件" in why(added)


def test_two_who_sign_one_after_the_other_both_count_and_one_stranger_spoils_it(
    hong_kong, chan, on_list, clean
):
    once = generated.sign_pdf(PAPER, chan, SIGNED)
    other = hong_kong.signer("WONG SIU MING", POLICIES)
    found = judged(generated.sign_pdf(once, other, SIGNED, name="Signature2"), [on_list], clean)
    assert [each.outcome for each in found] == [domain.RECOGNISED] * 2, [why(each) for each in found]
    stranger = generated.GeneratedAuthority("Somebody CA", "HK", MADE).signer("X Y", POLICIES)
    mixed = judged(generated.sign_pdf(once, stranger, SIGNED, name="Signature2"), [on_list], clean)
    assert domain.outcome_of(mixed) == domain.REFUSED and mixed[0].outcome == domain.RECOGNISED


def test_a_file_signed_beside_itself(chan, on_list, clean):
    builder = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(b"any bytes")
        .add_signer(chan.certificate, chan.key, hashes.SHA256())
    )
    cms = builder.sign(
        serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    )
    believed, later = domain.Believed((on_list,), (clean,)), dt.datetime.now(dt.UTC) + DAY
    found = only(checking.check_detached(b"any bytes", cms, believed, later))
    assert found.holder == domain.PERSON and found.outcome != domain.REFUSED, why(found)
    assert only(checking.check_detached(b"other bytes", cms, believed, later)).outcome == domain.REFUSED


@pytest.fixture
def listed(district, on_list):
    return keeping.recognise(
        on_list, fingerprint=keeping.fingerprint_of(on_list.certificates[0]), by="op", now=MADE
    )


def test_the_list_is_kept_on_record_and_within_its_rules(listed, on_list, hong_kong):
    with pytest.raises(Problem, match="指纹"):
        keeping.recognise(dataclasses.replace(on_list, code="x-hk"), fingerprint="00", by="op", now=MADE)
    with override("en"), pytest.raises(Problem, match="The fingerprint"):
        keeping.recognise(dataclasses.replace(on_list, code="x-hk"), fingerprint="00", by="op", now=MADE)
    with pytest.raises(Problem, match="已有"):
        keeping.recognise(
            on_list, fingerprint=keeping.fingerprint_of(on_list.certificates[0]), by="op", now=MADE
        )
    with pytest.raises(Problem, match="依据"):
        keeping.change("test-hk", "suspend", ground=" ", by="op", now=NOW)
    keeping.change("test-hk", "suspend", ground="来函", by="op", now=NOW, since=SIGNED)
    assert keeping.believed().authorities[0].standing(SIGNED) == domain.SUSPENDED
    assert keeping.believed().authorities[0].standing(SIGNED - DAY) == domain.IN_FORCE
    keeping.change("test-hk", "resume", ground="来函", by="op", now=NOW + DAY)
    keeping.change("test-hk", "withdraw", ground="来函", by="op", now=NOW + 2 * DAY)
    with pytest.raises(Problem, match="不能这样变更"):
        keeping.change("test-hk", "resume", ground="来函", by="op", now=NOW + 3 * DAY)
    changes = SignatureAuthorityChange.objects.order_by("pk")
    assert [each.how for each in changes] == ["recognised", "suspended", "resumed", "withdrawn"]
    assert len(ledger.entries_for("signature-authority:test-hk")) == 4
    # Newer certificates come beside the older ones.
    newer = generated.GeneratedAuthority("Test Hong Kong CA 2", "HK", SIGNED)
    keeping.renew(dataclasses.replace(on_list, certificates=newer.certificates), by="op", now=NOW)
    assert len(keeping.believed().authorities[0].certificates) == 4


def test_only_a_recognised_authority_s_revocation_list_is_taken_in(listed, clean):
    assert keeping.load_revocations(clean, by="op", now=NOW).revoked == 0
    assert keeping.load_revocations(clean, by="op", now=NOW).pk
    stranger = generated.GeneratedAuthority("Somebody CA", "HK", MADE)
    with pytest.raises(Problem, match="不在名单上"):
        keeping.load_revocations(stranger.revocation_list(NOW, NOW + DAY), by="op", now=NOW)
    with pytest.raises(Problem, match="吊销列表"):
        keeping.load_revocations(b"something", by="op", now=NOW)


def test_a_signed_paper_of_a_case_is_judged_by_a_job_and_told_beside_the_file(
    opened, listed, chan, clean, district, client
):
    keeping.load_revocations(clean, by="op", now=NOW)
    pdf = generated.sign_pdf(PAPER, chan, SIGNED)
    stored = cases.files.store_files([cases.FileIn("agreed.pdf", pdf)], "document")
    papers.note_papers(opened, 1, stored, NOW)
    cases.run_jobs(NOW)
    client.force_login(district.worker)
    page = client.get(f"/cases/{opened}").content.decode()
    assert (
        "agreed.pdf" in page
        and "由 C** T** M** 签名" in page
        and "认可依据：《电子签名法》第二十六条" in page
    )
    client.force_login(district.operator)
    assert "C** T** M**" not in client.get(f"/cases/{opened}").content.decode(), "supervisors see no files"
    # The list changes: what was judged is judged anew, as of when it came in.
    later = NOW + DAY
    keeping.change("test-hk", "withdraw", ground="来函", by="op", now=later, since=SIGNED - DAY)
    assert attached.judge_again(listed, later, since=SIGNED - DAY) == 1
    cases.run_jobs(later)
    line = attached.file_notes([stored[0].digest], district.worker, later)[stored[0].digest][0]
    assert line.tone == "bad" and "已停止" in line.title["zh"]
    assert attached.forget(opened, later) == 1 and not SignedFile.objects.exists()


def test_the_command_tells_who_has_signed_also_without_an_installation(listed, chan, clean, tmp_path):
    keeping.load_revocations(clean, by="op", now=NOW)
    said = json.loads(json.dumps(api.trust_json(NOW)))
    assert trust.from_json(said).signers.authorities[0].code == "test-hk"
    trusted, signed = tmp_path / "trust.json", tmp_path / "signed.pdf"
    trusted.write_text(json.dumps(said))
    signed.write_bytes(generated.sign_pdf(PAPER, chan, SIGNED))
    arguments = ["verify", str(signed), "--trust", str(trusted), "--at", "2026-11-24"]
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0, told.output
    assert (
        "signature recognised" in told.output
        and "C** T** M**" in told.output
        and "测试香港认证机构" in told.output
    )
    said["signature_authorities"] = []
    trusted.write_text(json.dumps(said))
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 1 and "not on the list" in told.output


def test_the_operator_puts_an_authority_on_the_list_and_everyone_reads_it(district, client, on_list, clean):
    from django.core.files.uploadedfile import SimpleUploadedFile

    client.force_login(district.operator)
    form = {
        "code": "test-hk", "name": "测试香港认证机构", "jurisdiction": "HK", "policy": on_list.policy,
        "person": generated.SAMPLE_PERSON, "valid_from": "2026-01-05", "ground": "信任列表", "fingerprint": "00",
    }  # fmt: skip
    pem = "".join(on_list.certificates).encode()
    refused = client.post("/signers/add", {**form, "certificates": SimpleUploadedFile("ca.pem", pem)})
    assert refused.status_code == 422 and "指纹" in refused.content.decode()
    form["fingerprint"] = keeping.fingerprint_of(on_list.certificates[0])
    done = client.post(
        "/signers/add", {**form, "certificates": SimpleUploadedFile("ca.pem", pem)}, follow=True
    )
    assert "已加入名单" in done.content.decode()
    sent = {"act": "crl", "revocations": SimpleUploadedFile("hk.crl", clean)}
    assert "已保存" in client.post("/signers/test-hk", sent, follow=True).content.decode()
    assert "请写明变更的依据" in client.post("/signers/test-hk", {"act": "suspend"}).content.decode()
    client.post("/signers/test-hk", {"act": "suspend", "ground": "来函"})
    client.logout()
    page = client.get("/verify/signers/").content.decode()
    assert "测试香港认证机构" in page and "已暂停" in page


def test_an_authority_with_a_certificate_of_sm2_keeps_no_other_from_being_read(
    listed, hong_kong, chan, on_list, clean
):
    """Authorities of Guangdong have roots of SM2, a curve that is not read here: the rest of the list holds."""
    p256, sm2 = bytes.fromhex("2A8648CE3D030107"), bytes.fromhex("2A811CCF5501822D")
    root = hong_kong.issuing.certificate.public_bytes(serialization.Encoding.DER).replace(p256, sm2)
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(root).decode()}-----END CERTIFICATE-----\n"
    other = dataclasses.replace(on_list, code="a-sm2", certificates=(pem,))
    found = only(judged(generated.sign_pdf(PAPER, chan, SIGNED), [other, on_list], clean))
    assert found.outcome == domain.RECOGNISED and found.authority == on_list.code
    keeping.recognise(other, fingerprint=keeping.fingerprint_of(pem), by="op", now=NOW)
    assert keeping.load_revocations(clean, by="op", now=NOW).authority.code == on_list.code


def test_another_authority_s_revocation_list_is_refused_and_not_kept(listed, district, client, clean):
    client.force_login(district.operator)
    other = generated.GeneratedAuthority("Other CA", "HK", MADE)
    keeping.recognise(
        dataclasses.replace(keeping.authority_of(listed), code="other", certificates=other.certificates),
        fingerprint=keeping.fingerprint_of(other.certificates[0]), by="op", now=NOW,
    )  # fmt: skip
    sent = {"act": "crl", "revocations": SimpleUploadedFile("list.crl", clean)}
    page = client.post("/signers/other", sent)
    assert page.status_code == 422 and "另一个机构" in page.content.decode()
    assert not HeldRevocationList.objects.exists()


def test_only_the_revocation_lists_that_a_certificate_needs_are_read(
    listed, hong_kong, chan, django_assert_num_queries
):
    over = hong_kong.signer("CHAN TAI MAN", POLICIES, until=SIGNED - DAY)
    for days in range(-5, 4):
        # What is over is left out of the lists after the first: the newest says nothing of it.
        gone = [(over, SIGNED - 9 * DAY)] if days <= 0 else []
        made = SIGNED + days * DAY
        keeping.load_revocations(hong_kong.revocation_list(made, made + DAY, gone), by="op", now=NOW)
    assert HeldRevocationList.objects.count() == 9
    with django_assert_num_queries(2):
        assert len(keeping.lists_for(chan.certificate, hong_kong.issuing.certificate)) == 1
    with django_assert_num_queries(4):
        assert len(keeping.lists_for(over.certificate, hong_kong.issuing.certificate)) == 3
    assert len(keeping.published().revocations) == 1 and not keeping.believed().revocations
    pdf = generated.sign_pdf(PAPER, over, SIGNED - 5 * DAY)
    found = only(checking.check_pdf(pdf, keeping.believed(), NOW, SIGNED - 4 * DAY))
    assert found.outcome == domain.REFUSED and "签名时证书已被吊销" in why(found)


def test_a_list_for_authorities_alone_speaks_of_theirs_and_of_nobody_else_s(listed, hong_kong, chan, clean):
    keeping.load_revocations(clean, by="op", now=NOW)
    point = x509.IssuingDistributionPoint(
        full_name=None, relative_name=None, only_contains_user_certs=False, only_contains_ca_certs=True,
        only_some_reasons=None, indirect_crl=False, only_contains_attribute_certs=False,
    )  # fmt: skip
    below, root = hong_kong.issuing.certificate, hong_kong.root
    gone = x509.RevokedCertificateBuilder().serial_number(below.serial_number).revocation_date(SIGNED - DAY)
    made = x509.CertificateRevocationListBuilder().issuer_name(root.certificate.subject).last_update(SIGNED)
    made = (
        made.next_update(NOW + DAY).add_revoked_certificate(gone.build()).add_extension(point, critical=True)
    )
    der = made.sign(root.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert keeping.load_revocations(der, by="op", now=NOW).only == "ca"
    found = only(checking.check_pdf(generated.sign_pdf(PAPER, chan, SIGNED), keeping.believed(), NOW))
    assert found.outcome == domain.REFUSED and "认证机构自己的证书已被吊销" in why(found)
    assert "没有该机构的吊销列表" not in why(found)


def test_a_paper_in_two_cases_is_told_in_both_and_outlives_the_erasure_of_one(
    opened, listed, chan, clean, district
):
    keeping.load_revocations(clean, by="op", now=NOW)
    other = cases.open_case(
        "grid-verification", firm_facts(), cell_code=CELL, idempotency_key="finding:2", now=NOW
    )
    stored = cases.files.store_files(
        [cases.FileIn("agreed.pdf", generated.sign_pdf(PAPER, chan, SIGNED))], "document"
    )
    for number, case_id in enumerate((opened, other)):
        papers.note_papers(case_id, 1, stored, NOW + number * DAY)
        cases.run_jobs(NOW + number * DAY)
    assert set(SignedFileCase.objects.values_list("case_id", flat=True)) == {opened, other}
    assert SignedFile.objects.get().received_at == NOW
    cases.erase_personal(opened, NOW + DAY)
    # What was put into the outbox before, and comes late, brings nothing back.
    attached.judge(opened, {"digest": stored[0].digest, "received_at": NOW.isoformat()}, "", NOW + DAY)
    assert SignedFileCase.objects.get().case_id == other
    (line,) = attached.file_notes([stored[0].digest], district.worker, NOW + DAY)[stored[0].digest]
    assert line.tone == "good" and "C** T** M**" in line.title["zh"]
    cases.erase_personal(other, NOW + DAY)
    assert not SignedFile.objects.exists() and not SignedFileSigner.objects.exists()


@pytest.fixture
def many_signed(opened, hong_kong, chan):
    """Twelve files recognised, one in doubt, one of a stranger; each came in on a day of its own."""
    stranger = generated.GeneratedAuthority("Somebody CA", "HK", MADE).signer("X Y", POLICIES).certificate
    issuer = chan.certificate.issuer

    def signed(number, outcome, by=issuer, serial=0):
        file = SignedFile.objects.create(
            digest=f"{number:064x}", received_at=NOW - number * DAY, findings="[]", judged_at=NOW
        )
        SignedFileCase.objects.create(file=file, case_id=opened)
        SignedFileSigner.objects.create(
            file=file, issuer=chains.digest_of_name(by), serial=f"{serial or number + 1:x}", outcome=outcome
        )

    for number in range(12):
        signed(number, domain.RECOGNISED, serial=chan.certificate.serial_number if number == 7 else 0)
    signed(12, domain.DOUBTFUL)
    signed(13, domain.REFUSED, stranger.issuer)


def waiting():
    digests = [
        json.loads(each)["digest"]
        for each in Job.objects.filter(kind=attached.WORK).values_list("payload", flat=True)
    ]
    Job.objects.filter(kind=attached.WORK).delete()
    return sorted(int(each, 16) for each in digests)


def test_what_a_change_may_concern_is_judged_anew_batch_by_batch(
    many_signed, listed, hong_kong, chan, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(attached, "A_BATCH", 5)
    # Each batch: which files, their cases, the jobs of all of them; and the authority's changes, and a last look.
    with django_assert_num_queries(1 + 3 * 3 + 1):
        assert attached.judge_again(listed, NOW) == 13
    assert waiting() == list(range(13))
    held = hong_kong.revocation_list(NOW, NOW + DAY, [(chan, SIGNED - DAY)])
    held = keeping.load_revocations(held, by="op", now=NOW)
    assert attached.judge_again(listed, NOW, by_list=held) == 2 and waiting() == [7, 12]
    assert attached.judge_again(listed, NOW, since=NOW - 2 * DAY) == 3 and waiting() == [0, 1, 2]


def test_many_papers_of_one_step_are_put_into_the_outbox_at_once(opened, district, django_assert_num_queries):
    from chengshu.contexts.cases.files import Stored

    stored = [Stored(f"{number:064x}", "a.pdf", "application/pdf", 9, "papers") for number in range(40)]
    # The papers, and their work.
    with django_assert_num_queries(2):
        papers.note_papers(opened, 1, stored, NOW)
    assert len(waiting()) == 40
