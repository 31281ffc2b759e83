"""The public reads notices and the feed; a person reads their messages; an operator settles a doubt."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree

import pytest

from chengshu.contexts.messages.models import Delivery, Message

NOTICE = {"kind": "registration", "title": "停车泊位数据集登记公示", "fields": {"dataset": "停车泊位数据集"}}


@pytest.fixture
def published(ask):
    now = dt.datetime.now(dt.UTC)
    until = (now + dt.timedelta(days=5)).date()
    return ask("publish_notice", **NOTICE, until=until, now=now)["notice"]


def test_the_public_reads_a_notice_and_its_feed(client, published):
    assert "停车泊位" in client.get("/notices/").content.decode()
    assert "停车泊位" in client.get(f"/notices/{published}").content.decode()
    assert "没有公示" in client.get("/notices/", {"q": "别的"}).content.decode()
    assert "停车泊位" not in client.get("/notices/", {"state": "ended"}).content.decode()
    feed = ElementTree.fromstring(client.get("/notices/feed.atom").content)
    titles = [node.text for node in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert any("停车泊位" in title for title in titles)
    body = client.get(f"/api/v1/notices/{published}").json()
    assert body["open"] and [field["name"] for field in body["fields"]] == ["dataset"]
    assert client.get("/notices/999").status_code == 404


def test_a_person_reads_a_message_once_and_only_theirs(client, ask, reachable, district):
    ask("send_message", to="supervisor", text="late", channel="page", now=dt.datetime.now(dt.UTC))
    client.force_login(reachable)
    assert "1 条未读" in client.get("/messages/").content.decode()
    message = Message.objects.get()
    assert client.get(f"/messages/{message.pk}").status_code == 200
    assert "0 条未读" in client.get("/messages/").content.decode()
    assert client.get("/api/v1/messages").json()["unread"] == 0
    client.force_login(district.worker)
    assert client.get(f"/messages/{message.pk}").status_code == 404


def test_an_operator_sees_a_doubt_and_settles_it(client, ask, post, reachable):
    post.break_after = True
    ask("send_message", to="supervisor", text="late")
    client.force_login(reachable)
    assert "不能确定" in client.get("/messages/deliveries").content.decode()
    doubt = Delivery.objects.get(channel="email")
    client.post(f"/messages/deliveries/{doubt.pk}/settle", {"arrived": "yes"})
    doubt.refresh_from_db()
    assert doubt.state == "sent" and len(post.kept) == 1
    assert "没有待处理" in client.get("/messages/deliveries").content.decode()
