"""What the engine refuses, in words for people. It speaks English to engineers; these of its refusals anyone may meet."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chengshu.kernel.problems import Problem

REFUSALS = {
    "guard-refused": gettext_noop("这一步的条件不满足，请核对所填内容和办件情况"),
    "command-not-now": gettext_noop("办件现在的状态不允许这一步，请返回办件看清现状"),
    "command-not-yours": gettext_noop("你的角色不能办理这一步"),
    "command-unknown": gettext_noop("办件现在的状态不允许这一步，请返回办件看清现状"),
    "own-work": gettext_noop("不能审核自己办理的事项"),
    "already-done": gettext_noop("这一步只能办理一次，已经办过"),
    "register-taken": gettext_noop("同样的事项已经办过，或者正在办理，不能重复申请"),
    "personal-values-erased": gettext_noop("这个办件的个人信息已删除，这一步需要它们"),
    "pack-not-in-force": gettext_noop("这个事项在这一天不受理"),
    "opening-not-yours": gettext_noop("你不能提出这个事项"),
    "opening-refused": gettext_noop("现在不符合提出这个事项的条件，请核对所填内容"),
    "form-invalid": gettext_noop("有内容需要修改"),
}


def in_words(problem: Problem) -> str:
    """Return a refusal as one reads it on a page."""
    if problem.code in REFUSALS:
        said = _(REFUSALS[problem.code])
        earlier = problem.extra.get("case")
        # Only who may see the case that is in the way is told its number (certificates.registers).
        return (
            _("%(said)s。请看此前的办件 %(number)s") % {"said": said, "number": earlier} if earlier else said
        )
    return " ".join(part for part in (problem.title, problem.remedy) if part)
