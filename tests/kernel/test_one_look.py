"""Within one look a thing is found once; outside, and in the next look, it is found anew."""

import contextlib

from chengshu.kernel.one_look import forget, new_look, one_look, seen


def test_within_one_look_a_thing_is_found_once():
    found = iter(range(10))

    def look():
        return seen("thing", lambda: next(found))

    assert [look(), look()] == [0, 1]
    with one_look():
        assert [look(), look()] == [2, 2]
        with one_look():
            assert look() == 2
        assert seen("other", lambda: next(found)) == 3
    assert look() == 4
    with one_look():
        assert look() == 5


def test_a_new_look_sees_what_happened_since_and_leaves_the_one_around_it_alone():
    found = iter(range(10))

    def look():
        return seen("thing", lambda: next(found))

    with one_look():
        assert look() == 0
        with new_look():
            assert [look(), look()] == [1, 1]
        assert look() == 0


def test_what_went_wrong_is_looked_for_again():
    answers = iter([ZeroDivisionError(), "here"])

    def find():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with one_look():
        with contextlib.suppress(ZeroDivisionError):
            seen("thing", find)
        assert seen("thing", find) == "here"


def test_what_changed_is_found_as_it_is_now():
    found = iter(range(10))
    forget()
    with one_look():
        assert seen("thing", lambda: next(found)) == 0
        forget()
        assert seen("thing", lambda: next(found)) == 1


def test_what_cannot_have_changed_is_not_looked_up_again():
    found = iter(range(10))
    with one_look():
        assert seen(("account", 1), lambda: next(found)) == 0
        assert seen(("case", 1), lambda: next(found)) == 1
        forget(but=("account",))
        assert seen(("account", 1), lambda: next(found)) == 0
        assert seen(("case", 1), lambda: next(found)) == 2
