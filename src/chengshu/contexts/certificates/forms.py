"""The form of the verification page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from chengshu.contexts.certificates.verification import MAX_BYTES


class VerifyForm(forms.Form):
    """A file, or a text: a number, a credential, what a QR code says."""

    file = forms.FileField(
        label=_("证照或文书的 PDF 文件"),
        required=False,
        help_text=_("文件只用于核验，不会保存。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jwt,application/pdf"}),
    )
    text = forms.CharField(
        label=_("编号、二维码文字或凭证"),
        required=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("例如 DI-2026-000001"),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        data: dict[str, Any] = super().clean() or {}
        data["text"] = (data.get("text") or "").strip()
        if not data.get("file") and not data["text"]:
            self.add_error("text", _("请选择文件，或填写编号、二维码文字或凭证。"))
        if data.get("file") and data["file"].size > MAX_BYTES:
            self.add_error("file", _("文件超过 20 MB。"))
        return data
