"""Which lists can be exported: by whom, with which filters, as which kind of file."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _n

from chengshu.contexts.hall.exports import archives, lists, worklists
from chengshu.contexts.hall.exports.lists import Kind
from chengshu.contexts.identity.api import STAFF_ROLES

STAFF = frozenset({"officer", "operator"})
KINDS: Mapping[str, Kind] = {
    "ratings": Kind(_n("服务评价"), STAFF, lists.ratings, frozenset({"officer"}), ("department",)),
    "hotline": Kind(_n("热线诉求"), STAFF, lists.hotline, frozenset({"officer"})),
    "cases": Kind(_n("办件和时间"), STAFF, lists.services, frozenset({"officer"}), ("department",)),
    "subjects": Kind(
        _n("对象查询结果"), frozenset({"steward"}), lists.people, frozenset({"steward"}), ("query", "kind")
    ),
    "returns": Kind(_n("更正返还"), frozenset({"officer"}), lists.returns, frozenset({"officer"}), ("state",)),
    "refused": Kind(
        _n("运行退回的行"), frozenset({"steward"}), lists.refused, frozenset({"steward"}), ("run", "source"),
        formats=("csv",),
    ),
    "archive": Kind(_n("电子档案移交清单"), STAFF, archives.handover, filters=("year",)),
    "payments": Kind(_n("款项"), STAFF, lists.payments, frozenset({"officer"}), ("state", "direction")),
    "tasks": Kind(
        _n("任务清单"), frozenset(STAFF_ROLES), worklists.tasks, filters=worklists.OF_TASKS,
        in_words=worklists.tasks_in_words,
    ),
    "supervision": Kind(
        _n("督办清单"), frozenset({"operator"}), worklists.supervision, filters=worklists.OF_SUPERVISION,
        in_words=worklists.supervision_in_words,
    ),
}  # fmt: skip
ROLES = tuple(sorted(frozenset().union(*(kind.roles for kind in KINDS.values()))))
