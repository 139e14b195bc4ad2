"""Phones, paper and headings: what the page shows where."""

from typing import Any

import pytest

from issue_pipeline_tests.support.browsing import Store, expect

PHONE = {"width": 390, "height": 844}
SMALLEST = {"width": 320, "height": 640}
DAY = "2026-08-20"
LONG = "A title of two lines on a telephone, as many of them are that models write"
VIEWS = {"problems": "/", "days": f"/?day={DAY}"}
ROWS = {"problems": ".problem", "days": ".issue"}
# Boxes whose words do not fit, and what stands beside the page.
OVERFLOWING = """() => [...document.querySelectorAll('main *, header *')].filter(one => {
    const box = one.getBoundingClientRect();
    const isField = one.matches('label, select, button, .field, .pill, .segments');
    const scrolls = one.closest('.pills') !== null;
    return box.width > 1 && !scrolls && (box.right > innerWidth + 0.5
        || (isField && one.scrollWidth > one.clientWidth + 1 && one.tagName !== 'SELECT'));
}).map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def filled(store: Store) -> str:
    """A day of issues with their problems, of which every mark is set; the server's address."""
    sources = {"github": 5, "stackoverflow": 4, "reddit": 3, "hackernews": 2}
    for number in range(9):
        title = f"{LONG}, number {number}"
        problem = store.put_problem(
            title, {"2026-08-03": {"github": 4}, DAY: sources}, DAY, would_pay=True, impact="high",
            state="returned", category="healthtech",
        )  # fmt: skip
        store.put(
            DAY, title, problem=problem, size=14, sources=sources, would_pay=True, impact="high",
            category="healthtech", posts=[{}],
        )  # fmt: skip
    store.put(DAY, "Another theme", is_problem=False)
    return store.url


def opened(page: Any, filled: str, view: str) -> None:
    page.goto(f"{filled}{VIEWS[view]}")
    expect(page.locator(ROWS[view])).to_have_count(9)


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_shows_four_rows_at_once(page, filled, view):
    page.set_viewport_size(PHONE)
    opened(page, filled, view)
    boxes = [row.bounding_box() for row in page.locator(ROWS[view]).all()[:4]]
    assert boxes[-1]["y"] + boxes[-1]["height"] <= PHONE["height"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_folds_the_filters_behind_a_button_that_says_how_many_are_set(page, filled, view):
    page.set_viewport_size(PHONE)
    opened(page, filled, view)
    impact = page.get_by_label("Impact")
    button = page.get_by_role("button", name="Filters")
    expect(impact).to_be_hidden()
    expect(page.get_by_role("searchbox")).to_be_visible()
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    impact.select_option("high")
    page.get_by_label("Would pay").check()
    expect(button).to_have_text("Filters (2)")
    button.click()
    expect(impact).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(impact).to_be_visible()
    expect(button).to_be_hidden()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [SMALLEST, PHONE, {"width": 768, "height": 1024}])
def test_nothing_leaves_its_box_or_the_page(page, filled, view, size):
    page.set_viewport_size(size)
    opened(page, filled, view)
    if size["width"] < 700:
        page.get_by_role("button", name="Filters").click()
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [SMALLEST, PHONE, {"width": 768, "height": 1024}])
def test_nothing_of_a_problem_leaves_the_page(page, filled, size):
    page.set_viewport_size(size)
    opened(page, filled, "problems")
    page.get_by_role("link", name="number 3").click()
    page.locator(".post").first.wait_for()
    page.get_by_text("The same in numbers").click()
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("view", VIEWS)
def test_the_heading_names_the_span_and_every_title_is_a_heading(page, filled, view):
    opened(page, filled, view)
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        {"problems": "14 to 20 Aug 2026", "days": "Thu, 20 August 2026"}[view]
    )
    titles = page.locator(f"{ROWS[view]} h3")
    expect(titles).to_have_count(9)
    expect(titles.first).to_contain_text(LONG)


@pytest.mark.parametrize("view", VIEWS)
def test_paper_shows_what_is_on_show_and_nothing_to_press(page, filled, view):
    opened(page, filled, view)
    page.emulate_media(media="print", color_scheme="dark")
    for role in ("button", "searchbox", "combobox", "navigation"):
        expect(page.get_by_role(role)).to_have_count(0)
    expect(page.locator(ROWS[view]).last).to_be_visible()
    colours = (
        "one => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor]"
    )
    title = page.locator(f"{ROWS[view]} .title").first
    assert title.evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


def test_paper_has_the_addresses_of_the_evidence(page, filled):
    opened(page, filled, "problems")
    page.get_by_role("link", name="number 3").click()
    page.locator(".post").first.wait_for()
    page.emulate_media(media="print")
    shown = page.locator("a.post-title").first.evaluate(
        "link => getComputedStyle(link, '::after').content"
    )
    assert "https://example.org/0" in shown
