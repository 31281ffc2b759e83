"""Cuts text into what is indexed: words, character bigrams, single characters, Latin tokens. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import rjieba

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LATIN = re.compile(r"[a-z0-9]+")
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9]+")
# Words that carry no matter: they are dropped from queries and count nothing in documents.
STOP = frozenset(
    "的 了 和 与 及 或 等 在 是 有 我 你 他 她 它 我们 你们 他们 自己 这 那 这个 那个 个 一个 要 想 能 可以 会 就 都 也 还 又 把 被 给 对 "
    "对于 从 到 向 为 于 以 其 之 不 没 没有 吗 呢 吧 啊 呀 嘛 哦 么 什么 怎么 怎样 怎么样 如何 哪里 哪儿 哪 哪个 多少 几 需要 请 请问 "
    "需 得 上 下 里 去 来 做 弄 搞 用 一下 时候 然后 现在 已经 因为 所以 但是 如果 的话 该 应该 必须 关于 有关 相关 进行 "
    "办 办理 申请 事 事情 事项 业务 手续 流程 材料 部门 单位 个人 人 家 家里 东西 问题 情况 方面".split()
)
# Said around a matter and not part of it, longest first.
FILLERS = sorted(
    """请问一下 请问 麻烦问下 想问一下 想问 问一下 我想知道 想知道 我想了解 想了解 我想要 我想 我要 想要 帮我 我该怎么办 该怎么办 怎么办才好
    怎么办理 怎么办 怎样办理 怎样办 如何办理 如何办 怎么弄 怎么搞 怎么申请 如何申请 怎么才能 怎样才能 怎么 怎样 如何 需要什么材料 要什么材料
    需要哪些材料 要哪些材料 要带什么材料 带什么材料 要带什么 带什么 需要带什么 需要什么手续 要什么手续 要办什么手续 办什么手续 什么手续
    需要准备什么 要准备什么 需要什么条件 要什么条件 什么条件 什么流程 流程是什么 的流程 办理流程 办事指南 多久能办好 多久能拿到 多久 要多长时间
    需要多长时间 几天能办好 去哪里办 去哪办 去哪儿办 在哪里办 在哪办 在哪儿办 到哪里办 到哪办 找谁办 找哪个部门 归哪里管 归谁管 哪里可以办
    哪里能办 哪里办 去哪里 去哪儿 去哪 在哪里 在哪儿 到哪里 到哪儿 可以吗 能不能 可不可以 行不行 要不要 是不是 有什么要求 有什么规定
    要什么 需要什么 办什么 要办什么 该怎么 应该怎么 应该 怎么走 谢谢 急急急 在线等""".split(),
    key=len,
    reverse=True,
)
_FILLER = re.compile("|".join(map(re.escape, FILLERS)))
_cutter = rjieba.Jieba() if hasattr(rjieba, "Jieba") else rjieba


def normalise(text: str) -> str:
    """Return text in one width and case, with a blank for everything that is neither Han, Latin letter nor digit."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return " ".join(_RUNS.findall(plain))


def traditional_to_simplified(text: str, table: dict[str, str]) -> str:
    """Return text with traditional characters replaced one by one."""
    return "".join(table.get(char, char) for char in text)


def without_fillers(text: str) -> str:
    """Return a normalised query without what people say around the matter; unchanged when nothing else is left."""
    rest = " ".join(_FILLER.sub(" ", text).split())
    return rest or text


def words(text: str) -> list[str]:
    """Return the words of a normalised text, without those that carry nothing."""
    found = []
    for run in _RUNS.findall(text):
        if _LATIN.fullmatch(run):
            found.append(run)
            continue
        found += [word for word in _cutter.cut_for_search(run) if word not in STOP]
    return found


def plain_words(text: str) -> list[str]:
    """Return the words of a normalised text one after the other, none inside another, stop words included."""
    found: list[str] = []
    for run in _RUNS.findall(text):
        found += [run] if _LATIN.fullmatch(run) else list(_cutter.cut(run))
    return found


def bigrams(text: str) -> list[str]:
    """Return the pairs of neighbouring Han characters of a normalised text."""
    return [run[at : at + 2] for run in _HAN.findall(text) for at in range(len(run) - 1)]


def tokens(text: str) -> list[str]:
    """Return what a normalised text is indexed by: bigrams, longer words, Latin tokens; one character by itself."""
    found = bigrams(text)
    found += [word for word in words(text) if len(word) > 2 or _LATIN.fullmatch(word)]
    found += [run for run in _HAN.findall(text) if len(run) == 1]
    return found


def index_tokens(text: str) -> list[str]:
    """Return what a document's text is indexed by: as ``tokens``, and its single characters."""
    return tokens(text) + [char for run in _HAN.findall(text) if len(run) > 1 for char in run]


def query_tokens(text: str) -> list[str]:
    """Return the tokens of a query part; a lone content word of one character is looked up as such."""
    found = tokens(text)
    found += [
        word for word in plain_words(text) if len(word) == 1 and _HAN.fullmatch(word) and word not in STOP
    ]
    return list(dict.fromkeys(found))


def is_word(text: str) -> bool:
    """Tell whether the dictionary of the word cutter knows a word."""
    return bool(_cutter.has_word(text)) if hasattr(_cutter, "has_word") else False


def han_runs(text: str) -> Iterable[str]:
    """Return the stretches of Han characters."""
    return _HAN.findall(text)
