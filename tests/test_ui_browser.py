"""The page in a real browser: what a visitor sees and does. Skipped where there is no browser to be had.

The mechanics run on a tiny random model, which answers nonsense fast; whether a fact is found is asked of the shipped
checkpoint.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from hostile import SCRIPT, TEMPLATE
from tiny import tiny_model

gr = pytest.importorskip("gradio")
sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright to test the page in a browser")

from rmt_demo import Reader  # noqa: E402
from rmt_demo.ui import layout, presets  # noqa: E402

CHECKPOINT = Path(__file__).parent.parent / "checkpoints" / "rmt-minilm"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds; the machine may be busy
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)


def executable() -> str | None:
    """A browser of this machine; None for playwright's own."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        except sync_api.Error:
            pytest.skip("there is no browser: set CHROMIUM to one, or run `playwright install chromium`")
        yield started
        started.close()


def serve(reader):
    page = layout.build(reader, "tiny")
    _, url, _ = layout.launch(page, "127.0.0.1", None, prevent_thread_lock=True, quiet=True)
    return page, url


@pytest.fixture(scope="module")
def url(backbone, tokenizer):
    model = tiny_model(backbone, memory_update="gated", text_attends_memory=False, cut_at_sentences=True)
    page, url = serve(Reader(model, tokenizer))
    yield url
    page.close()


@pytest.fixture(scope="module")
def shipped():
    """The address of a page with the shipped checkpoint."""
    if not (CHECKPOINT / "model.safetensors").exists():
        pytest.skip("there is no checkpoint")
    page, url = serve(Reader.from_pretrained(CHECKPOINT))
    yield url
    page.close()


@pytest.fixture
def visit(browser):
    """visit(url, width=1280, query="", **context): an open page; at the end of the test it must have logged no error
    and asked no other host for anything."""
    opened, wrong = [], []

    def visit(url: str, width: int = 1280, query: str = "", **context):
        context = browser.new_context(viewport={"width": width, "height": 850}, **context)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if elsewhere(request.url, url) else None)
        page.goto(url + query)
        button(page, "Read").wait_for()
        return page

    yield visit
    for context in opened:
        context.close()
    assert not wrong, "the page logged errors, or called somebody"


def elsewhere(asked: str, own: str) -> bool:
    return asked.startswith("http") and not asked.startswith(own.rstrip("/"))


def button(page, name: str):
    return page.get_by_role("button", name=name, exact=True)


def line(page):
    return page.locator("#live .line")


def begin(page, length: int) -> None:
    page.get_by_label("Length in tokens").fill(str(length))
    button(page, "Read").click()


def read(page, length: int = 300) -> None:
    begin(page, length)
    expect(line(page)).to_contain_text("done after")


# -- the way through the page


def test_the_first_example_is_read_and_answered(visit, url):
    page = visit(url)
    read(page)
    button(page, "Ask").click()
    expect(page.locator("#answer")).to_contain_text("tokens")
    expect(page.locator("#live .questions li")).to_have_count(3)
    expect(page.locator("#live .questions")).to_contain_text("Where is Daniel?")
    assert "any length" in page.locator("#live .own").inner_text()


def test_time_travel_surgery_race_and_the_zip(visit, url):
    page = visit(url)
    read(page, 2_000)
    expect(page.locator("#segment .title")).to_contain_text("Segment")
    expect(page.locator("#segment .text .fact").first).to_be_visible()
    before = page.locator("#segment .title").inner_text()
    page.locator("#live .timeline").click(position={"x": 600, "y": 100})
    expect(page.locator("#segment .title")).not_to_have_text(before)
    button(page, "Ask here").click()
    expect(page.locator("#answer-here")).to_contain_text("tokens")

    page.get_by_role("tab", name="Surgery").click()
    button(page, "All").click()
    expect(page.locator("#tokens").get_by_role("textbox")).to_have_value("1-4")
    button(page, "Apply and read on").click()
    expect(page.locator("#compare .answers li")).to_have_count(2)

    page.get_by_role("tab", name="Race").click()
    button(page, "Race").click()
    expect(page.locator("#race .lanes li")).to_have_count(3)

    page.get_by_role("tab", name="Download").click()
    button(page, "Make a zip of this run").click()
    expect(page.get_by_role("cell", name="run.zip", exact=True)).to_be_visible()
    button(page, "Show the Python code").click()
    expect(page.locator("#snippet")).to_contain_text("Daniel went to the garden.")

    read(page, 1_500)
    expect(page.get_by_role("cell", name="run.zip", exact=True)).to_have_count(0)
    expect(page.locator("#snippet")).not_to_contain_text("Daniel")
    page.get_by_role("tab", name="Race").click()
    expect(page.locator("#race .lanes li")).to_have_count(0)
    page.get_by_role("tab", name="Time travel").click()
    expect(page.locator("#answer-here")).not_to_contain_text("tokens")


def test_pause_resume_and_stop(visit, url):
    page = visit(url)
    begin(page, 1_000_000)
    expect(line(page)).to_contain_text("left")
    button(page, "Pause").click()
    expect(line(page)).to_contain_text("paused after")
    button(page, "Ask").click()
    expect(page.locator("#answer")).to_contain_text("tokens")
    button(page, "Resume").click()
    expect(line(page)).to_contain_text("left")
    button(page, "Stop").click()
    expect(line(page)).to_contain_text("stopped after", timeout=5_000)  # a second, and patience with a busy machine


def test_read_is_never_ignored(visit, url):
    page = visit(url)
    begin(page, 1_000_000)
    expect(line(page)).to_contain_text("left")
    read(page)
    expect(line(page)).not_to_contain_text("1,000,000")


def test_reading_again_takes_the_old_answers_away(visit, url):
    page = visit(url)
    for _ in range(3):  # for the first visitor or reading it may go well
        begin(page, 1_000_000)
        expect(line(page)).to_contain_text("left")
        for place, ask in (("#answer", "Ask"), ("#answer-here", "Ask here")):
            expect(page.locator(place).get_by_test_id("label-output-value")).to_have_count(0)
            button(page, ask).click()
            expect(page.locator(place).get_by_test_id("label-output-value")).to_have_count(1)
        button(page, "Stop").click()
        expect(line(page)).to_contain_text("stopped after")


def test_a_question_of_ones_own_is_followed(visit, url):
    page = visit(url)
    pins = page.locator("#pins")
    pins.get_by_role("button", name=re.compile("remove|clear", re.I)).last.click()
    pins.locator("input").fill("Where is the lamp?")
    pins.locator("input").press("Enter")
    read(page)
    expect(page.locator("#live .questions li")).to_have_count(1)
    expect(page.locator("#live .questions")).to_contain_text("Where is the lamp?")
    expect(page.locator("#live .story")).to_contain_text("● segment 1: answers")


def test_the_questions_to_follow_are_changed_while_reading_and_a_preset_is_for_the_next(visit, url):
    page = visit(url)
    followed, pins = page.locator("#live .questions"), page.locator("#pins")
    begin(page, 1_000_000)
    expect(followed).to_contain_text("Where is Daniel?")
    pins.get_by_role("button", name="Clear").click()
    expect(followed).to_be_hidden()
    pins.locator("input").fill("Where is the lamp?")
    pins.locator("input").press("Enter")
    expect(followed).to_contain_text("Where is the lamp?")
    page.get_by_label("Preset").click()
    page.get_by_role("option", name="Detect").click()
    expect(pins).not_to_contain_text("lamp")
    page.wait_for_timeout(1_000)
    expect(followed).to_contain_text("Where is the lamp?")
    pins.get_by_role("button", name="Clear").click()
    expect(followed).to_be_hidden()
    button(page, "Stop").click()
    expect(line(page)).to_contain_text("stopped after")


def test_the_slider_is_logarithmic_and_the_number_is_beside_it(visit, url):
    page = visit(url)
    slider = page.locator("#log-length input[type=range]")
    slider.focus()
    slider.press("End")
    expect(page.get_by_label("Length in tokens")).to_have_value("10000000")
    slider.press("Home")
    expect(page.get_by_label("Length in tokens")).to_have_value(re.compile(r"^2\d$"))  # one tiny segment
    page.get_by_label("Length in tokens").fill("1000")
    expect(slider).to_have_value("3")


def test_a_seed_is_typed_digit_by_digit_and_redraws_the_facts(visit, url):
    page = visit(url, query="?preset=detect")
    expect(page.locator("#haystack")).to_contain_text(presets.draw("detect", 0).rows[0][0])  # the link has come through
    seed = page.get_by_label("Seed")
    seed.press("Control+a")
    seed.press_sequentially("12345", delay=20)
    expect(page.locator("#haystack")).to_contain_text(presets.draw("detect", 12345).rows[0][0])
    expect(seed).to_have_value("12345")
    button(page, "New seed").click()
    expect(seed).not_to_have_value("12345")
    expect(page.locator("#haystack")).to_contain_text(presets.draw("detect", int(seed.input_value())).rows[0][0])


def test_a_link_brings_the_set_up_back(visit, url):
    page = visit(url, query="?preset=first&text=pydoc&length=777&seed=5&fact=The+key+%26+I+met.&at=0.25&follow=Who%3F")
    expect(page.get_by_label("Length in tokens")).to_have_value("777")
    expect(page.locator("#log-length input[type=range]")).to_have_value("2.89")
    expect(page.locator("#haystack")).to_contain_text("The key & I met.")
    expect(page.locator("#pins")).to_contain_text("Who?")
    page.get_by_text("A link to this set-up").click()
    button(page, "Make the link").click()
    expect(page.locator("#link textarea, #link input").first).to_have_value(re.compile("^http.*length=777.*follow=Who"))


def test_the_keyboard_is_enough_to_read_and_ask(visit, url):
    page = visit(url)
    page.get_by_label("Length in tokens").fill("300")
    button(page, "Read").focus()
    page.keyboard.press("Enter")
    expect(line(page)).to_contain_text("done after")
    page.get_by_label("Question", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("tokens")


def test_the_tabs_show_the_question_that_they_ask(visit, url):
    page = visit(url)
    question, shown = page.get_by_label("Question", exact=True), page.get_by_label("Question (change it above)")
    expect(shown).to_have_value(question.input_value())
    question.fill("Where is Sandra?")
    expect(shown).to_have_value("Where is Sandra?")
    page.locator("#asking").get_by_role("button", name="What is the job of").click()
    expect(shown).to_have_value(re.compile("^What is the job of"))


def test_a_screen_reader_is_told_beginnings_ends_answers_and_tokens(visit, url):
    page = visit(url)
    spoken, slider = page.locator("#live").get_by_role("status"), page.locator("#log-length input[type=range]")
    expect(slider).to_have_attribute("aria-valuetext", "about 20,000 tokens")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "about 10,000,000 tokens")
    begin(page, 1_000_000)
    expect(line(page)).to_contain_text("left")
    expect(spoken).to_have_text("Preparing the text …")
    button(page, "Pause").click()
    expect(spoken).to_contain_text("paused after")
    for answer in ("#answer", "#answer-here"):
        expect(page.locator(answer)).to_have_attribute("aria-live", "polite")


def test_the_tour_can_be_skipped_and_taken_again(visit, url):
    page = visit(url)
    for _ in range(2):
        button(page, "Take the tour (5 steps)").click()
        expect(page.get_by_role("dialog")).to_contain_text("1 of 5")
        button(page, "Next").click()
        expect(page.get_by_role("dialog")).to_contain_text("2 of 5")
        button(page, "Skip").click()
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(button(page, "Take the tour (5 steps)")).to_be_focused()


# -- how it looks


def test_dark_is_dark(visit, url):
    page = visit(url, query="?__theme=dark")
    read(page)
    colours = page.evaluate(
        "() => [document.querySelector('#live .line'), document.querySelector('.gradio-container')]"
        ".map((e, i) => getComputedStyle(e)[i ? 'backgroundColor' : 'color'].match(/[\\d.]+/g).slice(0, 3).map(Number))"
    )
    text, ground = (sum(colour) / 3 for colour in colours)
    assert ground < 60 and text > 180, f"text {text:.0f} on {ground:.0f}"


def test_a_phone_shows_all_of_it_without_sideways_scrolling(visit, url):
    page = visit(url, width=390, is_mobile=True, has_touch=True)
    read(page)
    page.get_by_label("Question", exact=True).fill("Where is the " + "bathroom " * 12 + "?")
    button(page, "Ask").click()
    expect(page.locator("#answer")).to_contain_text("tokens")
    label, answer = (page.locator("#answer").get_by_test_id(part) for part in ("block-label", "label-output-value"))
    below = answer.bounding_box()["y"] - label.bounding_box()["y"] - label.bounding_box()["height"]
    assert below >= 0, f"{-below} pixels of the answer are under the question"
    for tab in ("Surgery", "Race", "Download", "Time travel"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Download":
            button(page, "Show the Python code").click()
            expect(page.locator("#snippet")).to_contain_text("Reader.from_pretrained")
        page.wait_for_timeout(300)
        # A phone shows a page that is too wide smaller: then the window itself is wider.
        width = page.evaluate("Math.max(document.documentElement.scrollWidth, window.innerWidth)")
        assert width <= 390, f"{tab}: the page is {width} pixels wide, a phone 390"


# -- hostile words


def test_hostile_words_stay_words(visit, url):
    page = visit(url)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    for fact in ("<img onerror=x()>", "${hacked=1} {{1}}"):
        page.get_by_label("A fact of your own").fill(fact)
        button(page, "Add this fact").click()
        expect(page.get_by_label("A fact of your own")).to_have_value("")
    read(page, 600)
    for question in (SCRIPT[:24], TEMPLATE[:20]):
        page.get_by_label("Question", exact=True).fill(question)
        button(page, "Ask").click()
        page.wait_for_timeout(500)
    page.get_by_role("tab", name="Download").click()
    button(page, "Show the Python code").click()
    expect(page.locator("#snippet")).to_contain_text("onerror")
    assert page.evaluate("window.hacked === undefined"), "what somebody typed was run"
    assert page.locator("#live img, #segment img, #race img").count() == 0


def test_every_button_says_what_is_wrong(visit, url):
    page = visit(url, query="?length=5")
    toast = page.get_by_test_id("toast-body")
    expect(toast).to_contain_text("one segment")
    page.get_by_test_id("toast-close").click()
    button(page, "Add this fact").click()
    expect(toast).to_contain_text("Type a sentence first")
    page.get_by_test_id("toast-close").click()
    page.get_by_role("tab", name="Download").click()
    button(page, "Show the Python code").click()
    expect(toast).to_contain_text("Nothing has been read yet")


def test_bad_input_is_one_sentence_and_the_page_goes_on(visit, url):
    page = visit(url)
    begin(page, -5)
    expect(line(page)).to_contain_text("one segment")
    read(page)


# -- the shipped checkpoint


def test_the_shipped_checkpoint_reads_the_first_example(visit, shipped):
    page = visit(shipped)
    read(page, 2_000)
    button(page, "Ask").click()
    expect(page.locator("#answer")).to_contain_text("garden")
    expect(page.locator("#answer")).to_contain_text("right")


def test_the_line_to_the_stored_tokens_stands_out(visit, shipped):
    page = visit(shipped)
    read(page, 600)
    lines = page.locator("#live .memory").evaluate("""(canvas) => {
        const width = Math.floor(canvas.width * 0.79), pen = canvas.getContext("2d");
        const rows = [...Array(canvas.height).keys()].map((y) => pen.getImageData(0, y, width, 1).data);
        return rows.filter((row) => row.every((byte, i) => byte === row[i % 4])).map((row) => [...row.slice(0, 3)]);
    }""")  # the colours of rows that have one only
    bright = [sum(colour) / 3 for colour in lines]
    assert min(bright) < 60 and max(bright) > 240, "a line of the text's colour with an edge of the ground's"


@pytest.mark.slow
def test_a_fact_of_ones_own_is_found_in_50_000_tokens(visit, shipped):
    page = visit(shipped)
    button(page, "Remove all facts").click()
    page.get_by_label("A fact of your own").fill("Sandra went to the office.")
    button(page, "Add this fact").click()
    expect(page.get_by_label("A fact of your own")).to_have_value("")
    begin(page, 50_000)
    expect(line(page)).to_contain_text("done after", timeout=300_000)
    page.get_by_label("Question", exact=True).fill("Where is Sandra?")
    button(page, "Ask").click()
    expect(page.locator("#answer")).to_contain_text("office")
