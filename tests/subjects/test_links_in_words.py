"""A clerk reads why two records are one: no code of the linkage model is left without words."""

import pytest

from chengshu.batch.linkage import levels, sure
from chengshu.contexts.subjects.link_words import COMPARED, LEVELS, in_words

MODELS = [value for value in vars(levels).values() if isinstance(value, levels.Model)]


def test_there_are_models_to_speak_of():
    assert {"person", "firm"} <= {model.kind for model in MODELS}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_every_comparison_and_level_has_words(model):
    for comparison in model.comparisons:
        assert comparison.name in COMPARED
        assert {level.code for level in comparison.levels} <= set(LEVELS)


def test_every_part_of_a_sure_key_has_words():
    parts = {part for keys in sure.KEYS.values() for key in keys for part in key}
    assert parts <= set(COMPARED)


def test_words_are_chinese_by_default():
    assert in_words("code", "same") == ("证件号码或信用代码", "相同")
