"""A message reaches people's pages and mailboxes; never twice under one key; doubt is shown to a person."""

from __future__ import annotations

import pytest

from chengshu.contexts.messages import api, sending
from chengshu.contexts.messages.models import Delivery, Message
from chengshu.kernel.problems import Problem
from tests_support.casework import MONDAY

TO = {"to": "supervisor", "text": "late"}


def emails():
    return Delivery.objects.filter(channel="email")


def test_a_message_stands_on_the_page_and_goes_out_once(ask, post, reachable):
    assert ask("send_message", **TO)["sent"] == 1
    assert ask("send_message", **TO)["sent"] == 1, "the outbox runs it again"
    assert len(post.kept) == 1
    assert Message.objects.count() == 1
    assert api.unread_count(reachable, MONDAY) == 1
    text = post.kept[0].content.decode()
    assert "Message-ID: <" in text and post.kept[0].rcpt_tos == ["operator@example.com"]


def test_what_the_e_mail_says_is_where_to_read_not_what_it_says(ask, post, reachable):
    ask("send_message", **TO)
    from email import message_from_bytes

    body = message_from_bytes(post.kept[0].content).get_payload(decode=True).decode()
    assert "http://hub.example/messages/" in body
    assert "示例商贸" not in body and "创业一路" not in body


def test_a_broken_line_after_the_text_leaves_a_doubt_and_no_second_e_mail(ask, post, reachable):
    post.break_after = True
    assert ask("send_message", **TO) == {"messages": 1, "sent": 0, "uncertain": 1, "failed": 0}
    post.break_after = False
    ask("send_message", **TO)
    assert len(post.kept) == 1
    assert [each.state for each in api.doubts()] == ["uncertain"]


def test_a_worker_that_died_while_sending_leaves_a_doubt(ask, post, reachable):
    post.answer = "451 later"
    with pytest.raises(Problem, match="暂时"):
        ask("send_message", **TO)
    emails().update(state="sending")
    post.answer = "250 OK"
    assert ask("send_message", **TO)["uncertain"] == 1
    assert post.kept == []


def test_a_server_that_is_away_is_asked_again_later(ask, post, reachable, settings):
    good, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    with pytest.raises(Problem, match="暂时"):
        ask("send_message", **TO)
    settings.EMAIL_PORT = good
    assert ask("send_message", **TO)["sent"] == 1
    assert len(post.kept) == 1 and emails().get().attempts == 2


def test_a_refusal_for_good_is_kept_and_not_tried_again(ask, post, reachable):
    post.answer = "550 no such mailbox"
    assert ask("send_message", **TO)["failed"] == 1
    assert "550" in emails().get().error


def test_an_operator_settles_a_doubt(ask, post, reachable):
    post.break_after = True
    ask("send_message", **TO)
    post.break_after = False
    doubt = api.doubts()[0]
    api.settle(doubt.pk, arrived=False, actor=reachable, now=MONDAY)
    assert len(post.kept) == 2 and emails().get().state == "sent"
    assert emails().get().settled_by == reachable.display_name
    with pytest.raises(Problem):
        api.settle(doubt.pk, arrived=True, actor=reachable, now=MONDAY)


def test_without_a_mail_server_the_page_alone_has_it(ask, reachable, settings):
    settings.EMAIL_HOST = ""
    assert ask("send_message", **TO)["sent"] == 0
    assert emails().get().state == "skipped"
    assert ask("send_message", channel="page", key="step:2", **TO)["messages"] == 1
    assert emails().count() == 1


def test_only_whom_it_is_for_reads_it(ask, reachable, district):
    ask("send_message", channel="page", **TO)
    message = Message.objects.get()
    assert api.read_message(message.pk, district.worker, MONDAY) is None
    assert api.read_message(message.pk, reachable, MONDAY).read_at == MONDAY
    assert api.unread_count(reachable, MONDAY) == 0


def test_a_subject_is_one_line_whatever_people_wrote_into_it(ask, post, reachable, monkeypatch):
    said = {"zh": "补正：第一行\r\nBcc: x@example.com", "en": "Please\ncorrect"}
    monkeypatch.setattr(sending.cases, "pack_said", lambda *_given: dict(said))
    assert ask("send_message", **TO)["sent"] == 1
    (message,) = Message.objects.all()
    assert message.subject_zh == "补正：第一行 Bcc: x@example.com"
    assert post.kept[0].rcpt_tos == ["operator@example.com"]
