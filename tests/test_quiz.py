"""Quizzes: the form that pages write, what is refused, and what the chapters ask."""

import re
from pathlib import Path

import pytest

from tools.quiz import QuizError, parse

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"(?ms)^(`{3,}|:{3,})\{quiz\} (\S+)\n(.*?)^\1$")
QUIZZES = {
    path.stem: [(name, parse(text.splitlines())) for _, name, text in FENCE.findall(path.read_text("utf-8"))]
    for path in sorted(ROOT.glob("book/*.md"))
}
CHAPTERS = [stem for stem in QUIZZES if stem[0].isdigit()]


def test_a_quiz_is_read_with_its_answers_and_their_feedback():
    text = [
        "Which is even?",
        "",
        "- [ ] three",
        "  or five",
        "  > No.",
        "  >",
        "  > Odd.",
        "- [x] four",
        "  > Yes.",
    ]

    question, answers = parse(text)

    assert question == ["Which is even?", ""]
    assert [answer.text for answer in answers] == [["three", "or five"], ["four"]]
    assert [answer.feedback for answer in answers] == [["No.", "", "Odd."], ["Yes."]]
    assert [answer.right for answer in answers] == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no question"),
        ("- [ ] a\n  > b\n- [x] c\n  > d", "no question"),
        ("Which?", "0 answers, 0 of them right"),
        ("Which?\n- [x] a\n  > b", "1 answers, 1 of them right"),
        ("Which?\n- [ ] a\n  > b\n- [ ] c\n  > d", "2 answers, 0 of them right"),
        ("Which?\n- [x] a\n  > b\n- [x] c\n  > d", "2 answers, 2 of them right"),
        ("Which?\n- [x] a\n- [ ] c\n  > d", "'a' wants a text, and feedback"),
        ("Which?\n- [x] a\n  > b\n- [ ] \n  > d", "'' wants a text, and feedback"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(text, message):
    with pytest.raises(QuizError, match=re.escape(message)):
        parse(text.splitlines())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_chapter_asks_at_least_four_questions_and_the_right_answer_is_not_always_at_one_place(chapter):
    quizzes = QUIZZES[chapter]

    places = {[answer.right for answer in answers].index(True) for _, (_, answers) in quizzes}
    assert len(quizzes) >= 4
    assert len(places) > 1


def test_names_are_unique_and_say_what_they_belong_to():
    names = [name for quizzes in QUIZZES.values() for name, _ in quizzes]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"quiz(-[a-z0-9]+){2,}", name)] == []


def test_the_right_answer_cannot_be_guessed_from_its_length():
    # By chance the longest of three or four answers is right in a quarter to a third of the cases.
    longest = [
        max(answers, key=lambda answer: len(" ".join(answer.text))).right
        for quizzes in QUIZZES.values()
        for _, (_, answers) in quizzes
    ]

    assert sum(longest) < 0.5 * len(longest)
