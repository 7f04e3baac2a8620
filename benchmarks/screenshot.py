"""Take pictures of the browser demo's main states, with a real browser reading a real text.

    python app.py &
    pip install playwright
    python benchmarks/screenshot.py --browser /usr/bin/chromium --out docs

Writes app-start.png, app-reading, app (answered, with beliefs), app-travel, app-surgery, app-race, app-dark, app-phone.
Exits with 1 if the page logs an error, asks any other host for anything, or is wider than the screen.
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
FLAGS += ["--disable-component-update", "--disable-sync"]
PATIENCE = 600_000  # milliseconds


def tour(page: Page, picture) -> None:
    """Every state of the page on a wide screen, in the light theme."""
    picture("app-start")
    press(page, "Read")
    page.locator("#live .line").get_by_text("tokens/s").wait_for()
    page.wait_for_timeout(1500)
    picture("app-reading")
    answered(page)
    picture("app")
    press(page, "Ask here")
    page.locator("#answer-here").get_by_text("After").first.wait_for()
    picture("app-travel", "#explore")
    page.get_by_role("tab", name="Surgery").click()
    press(page, "All")
    press(page, "Apply and read on")
    page.locator("#compare .answers li").first.wait_for()
    picture("app-surgery", "#explore")
    page.get_by_role("tab", name="Race").click()
    press(page, "Race")
    page.locator("#race .lanes li").first.wait_for()
    picture("app-race", "#explore")


def read_and_ask(page: Page, picture, name: str) -> None:
    """One state of the page: a text is read and a question answered."""
    press(page, "Read")
    answered(page)
    picture(name)


def answered(page: Page) -> None:
    page.locator("#live .line").get_by_text("done after").wait_for()
    press(page, "Ask")
    page.locator("#answer").get_by_text("After").first.wait_for()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def visit(browser, url: str, width: int, theme: str, out: Path, length: int | None, act) -> list[str]:
    """Open the page, let `act` take its pictures; returns what went wrong on the way."""
    page = browser.new_page(viewport={"width": width, "height": 900}, device_scale_factor=1.5)
    page.set_default_timeout(PATIENCE)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if _elsewhere(request.url, url) else None)

    def picture(name: str, part: str = "") -> None:
        page.wait_for_timeout(500)
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            wrong.append(f"{name}: the page is {overflow} pixels wider than the screen")
        path = out / f"{name}.png"
        page.locator(part).screenshot(path=path) if part else page.screenshot(path=path, full_page=True)
        with Image.open(path) as shot:  # 128 colours are enough for a page, in a third of the bytes
            shot.convert("RGB").quantize(128).save(path, optimize=True)
        print(path)

    page.goto(f"{url}?__theme={theme}")
    page.get_by_role("button", name="Read", exact=True).wait_for()
    page.wait_for_timeout(1000)  # fonts and canvases
    if length:
        page.get_by_label("Length in tokens").fill(str(length))
    act(page, picture)
    page.close()
    return wrong


def _elsewhere(asked: str, own: str) -> bool:
    return urlsplit(asked).scheme.startswith("http") and urlsplit(asked).netloc != urlsplit(own).netloc


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:7860/", help="where the demo runs")
    parser.add_argument("--browser", help="path of Chromium (default: the one playwright installed)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder for the pictures")
    parser.add_argument("--length", type=int, help="tokens to read (default: what the page proposes)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    wrong = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.browser, args=FLAGS)
        for width, theme, act in (
            (1280, "light", tour),
            (1280, "dark", lambda page, picture: read_and_ask(page, picture, "app-dark")),
            (390, "light", lambda page, picture: read_and_ask(page, picture, "app-phone")),
        ):
            wrong += visit(browser, args.url, width, theme, args.out, args.length, act)
        browser.close()
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
