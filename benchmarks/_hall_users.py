"""Users of the hall for locust: they read, search, and look into their own room, with eight seconds of thought."""

from __future__ import annotations

import itertools
import os
import random
import re

from locust import HttpUser, constant, task

QUERIES = (
    "孩子出生要办什么",
    "驾照丢了",
    "jiehunzheng",
    "开个小饭店",
    "社保卡",
    "失业了能领钱吗",
    "营业执照",
    "老人去世",
)
SIGN_INS = itertools.cycle(("resident", "applicant", "objector"))


class Visitor(HttpUser):
    """One in four is signed in and looks into their own room as well."""

    wait_time = constant(8)
    turn = itertools.count()

    def on_start(self) -> None:
        """Sign in, where this one does."""
        number = next(self.turn)
        random.seed(number)
        self.codes: list[str] = []
        self.own = number % 4 == 0
        if self.own:
            page = self.client.get("/sign-in", name="/sign-in").text
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            fields = {
                "username": next(SIGN_INS),
                "password": os.environ["CHENGSHU_BENCH_PASSWORD"],
                "next": "/my/data/",
            }
            headers = {"Referer": self.host or ""}
            fields["csrfmiddlewaretoken"] = token[1] if token else ""
            self.client.post("/sign-in", fields, headers=headers, name="/sign-in POST")

    @task(3)
    def front(self) -> None:
        """Open the front page."""
        self.client.get("/hall/")

    @task(4)
    def search(self) -> None:
        """Search and remember what was found."""
        page = self.client.get("/hall/search", params={"q": random.choice(QUERIES)}, name="/hall/search").text
        self.codes = re.findall(r'href="/hall/items/([^"/]+)"', page) or self.codes

    @task(3)
    def guide(self) -> None:
        """Read a guide."""
        path = f"/hall/items/{random.choice(self.codes)}" if self.codes else "/hall/items/"
        self.client.get(path, name="/hall/items/…")

    @task(2)
    def service(self) -> None:
        """Read what a one-thing asks for."""
        self.client.get("/hall/apply/newborn/")

    @task(2)
    def room(self) -> None:
        """Look into one's own room."""
        if self.own:
            self.client.get("/my/data/")
        else:
            self.client.get("/notices/")
