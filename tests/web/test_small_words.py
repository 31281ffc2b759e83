"""Words that a newcomer meets first: the demo names one address, a list names nothing twice."""

from __future__ import annotations

import pytest

from chengshu.contexts.hall.items.forms import GuideForm
from chengshu.site.cli.demo import tell_how_to_sign_in


@pytest.mark.django_db
def test_the_demo_prints_the_name_that_its_certificates_say(capsys, monkeypatch):
    monkeypatch.delenv("CHENGSHU_URL", raising=False)
    tell_how_to_sign_in("127.0.0.1", 8123)
    said = capsys.readouterr().out
    assert "http://localhost:8123" in said and "127.0.0.1" not in said


def test_no_two_kinds_of_matters_read_alike():
    labels = [label for _, label in GuideForm().fields["kind"].choices]
    assert len(labels) == len(set(labels)) and "其他行政权力（20）" in labels
