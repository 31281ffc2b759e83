"""A signed file may be of several cases; revocation lists are found by whose certificates they speak of."""

import base64
import hashlib

import django.db.models.deletion
from cryptography import x509
from django.db import migrations, models

from chengshu.contexts.certificates.signatures import chains


def describe_lists(apps, _schema):
    """Note of each list that is held whose certificates it speaks of; one that nobody's key has signed is looked up no more."""
    lists = apps.get_model("certificates", "HeldRevocationList")
    for number in list(lists.objects.values_list("pk", flat=True)):
        row = lists.objects.select_related("authority").get(pk=number)
        der = base64.b64decode(row.content)
        only, points = chains.scope_of(x509.load_der_x509_crl(der))
        held = x509.load_pem_x509_certificates(row.authority.certificates.encode("ascii"))
        issuer = chains.issuer_of_list(held, der)
        row.issuer = chains.digest_of_issuer(issuer) if issuer else ""
        row.only = only
        row.points = " ".join(sorted(hashlib.sha256(each.encode()).hexdigest()[:16] for each in points))
        row.save(update_fields=["issuer", "only", "points"])


def note_cases(apps, _schema):
    """Keep which case a signed file came with; by whose certificate it is signed is noted when it is judged anew."""
    of_case, signer = (apps.get_model("certificates", f"SignedFile{name}") for name in ("Case", "Signer"))
    for file in apps.get_model("certificates", "SignedFile").objects.iterator(chunk_size=500):
        of_case.objects.create(file=file, case_id=file.case_id)
        signer.objects.create(file=file, issuer="", outcome="")


class Migration(migrations.Migration):

    dependencies = [("certificates", "0005_signature_authorities")]

    operations = [
        migrations.CreateModel(
            name="SignedFileCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("case_id", models.CharField(db_index=True, max_length=20)),
                ("file", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="cases", to="certificates.signedfile")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("file", "case_id"), name="a_signed_file_once_a_case")],
            },
        ),
        migrations.CreateModel(
            name="SignedFileSigner",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issuer", models.CharField(blank=True, max_length=64)),
                ("serial", models.CharField(blank=True, max_length=50)),
                ("outcome", models.CharField(max_length=12)),
                ("file", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="signers", to="certificates.signedfile")),
            ],
            options={"indexes": [models.Index(fields=["issuer", "file"], name="files_signed_under")]},
        ),
        migrations.AddField("heldrevocationlist", "issuer", models.CharField(default="", max_length=64)),
        migrations.AddField("heldrevocationlist", "only", models.CharField(blank=True, default="", max_length=12)),
        migrations.AddField("heldrevocationlist", "points", models.CharField(blank=True, default="", max_length=400)),
        migrations.AddIndex(
            "heldrevocationlist",
            models.Index(fields=["issuer", "made_at", "only", "points"], name="lists_of_an_issuer"),
        ),
        migrations.AddIndex(
            "heldrevocationlist", models.Index(fields=["authority", "made_at"], name="lists_of_an_authority")
        ),
        migrations.RunPython(describe_lists, migrations.RunPython.noop),
        migrations.RunPython(note_cases, migrations.RunPython.noop),
    ]
