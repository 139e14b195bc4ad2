"""What many posts of a day have as a heading is a form's question, however long it is."""

from issue_pipeline.utils.cleaning.shared_headings import shared_headings
from issue_pipeline.utils.embeddings import clean_day, clean_item
from issue_pipeline.utils.text_cleaning import clean_body

QUESTION = "Anything in the logs that might be useful for us?"
SAID = "The export stops after the first page."


def forms(count: int, heading: str = f"### {QUESTION}") -> list[str]:
    return [f"{heading}\n\n{SAID} It is case {'x' * number}." for number in range(count)]


def test_a_question_that_five_posts_share_goes():
    headings = shared_headings(forms(5))
    assert clean_body("github", f"### {QUESTION}\n\n{SAID}", headings) == SAID


def test_without_the_days_posts_a_sentence_counts_as_the_authors():
    body = f"### {QUESTION}\n\n{SAID}"
    assert clean_body("github", body) == f"{QUESTION}\n{SAID}"
    assert clean_body("github", body, shared_headings(forms(4))) == f"{QUESTION}\n{SAID}"


def test_a_form_that_nobody_filled_in_is_empty_even_if_it_is_short():
    assert clean_body("github", f"### {QUESTION}", shared_headings(forms(5))) == ""


def test_marks_numbers_and_letter_case_make_no_other_heading():
    bodies = forms(2) + forms(2, f"**{QUESTION.upper()}**") + forms(1, f"{QUESTION}\n=====")
    assert len({*bodies}) == 5
    assert len(shared_headings(bodies)) == 1


def test_a_post_that_was_posted_five_times_is_no_form():
    assert shared_headings(forms(1) * 5) == frozenset()


def test_what_posts_share_as_a_sentence_of_their_text_is_no_heading():
    assert shared_headings(f"{QUESTION}\n\nCase {'x' * number}." for number in range(9)) == set()


def test_a_day_without_posts_shares_nothing():
    assert shared_headings([None, "", "plain words"]) == frozenset()


def test_a_day_of_one_repository_loses_the_forms_questions_and_no_ones_answer():
    answers = [f"It stopped at step {'i' * number} for me." for number in range(1, 7)]
    items = [
        {"source": "github", "title": "It stops", "body": f"### {QUESTION}\n\n{answer}"}
        for answer in answers
    ]
    assert [text.body for text in clean_day(items)] == answers


def test_other_sources_have_no_forms():
    items = [{"source": "reddit", "title": "The export stops", "body": body} for body in forms(9)]
    assert clean_day(items) == [clean_item(item) for item in items]
