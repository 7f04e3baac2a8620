"""Take the README's pictures of the browser demo, with a real browser reading a real text.

    python app.py &
    pip install playwright                       # not a dependency of the project
    python benchmarks/screenshot.py --browser /usr/bin/chromium --out docs

Takes app.png, app-dark.png and app-phone.png, each once a text is read and the page's first question is answered.
Exits with 1 if the page logs an error or asks any other host for anything.
"""

import argparse
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
FLAGS += ["--disable-component-update", "--disable-sync"]
PICTURES = {  # width and height in pixels, theme
    "app.png": (1280, 900, "light"),
    "app-dark.png": (1280, 900, "dark"),
    "app-phone.png": (390, 844, "light"),
}


def visit(browser, url: str, size: tuple[int, int], theme: str, picture: Path, length: int | None) -> list[str]:
    """Read, ask, take the picture; returns what went wrong on the way."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=1.5)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if _elsewhere(request.url, url) else None)
    page.goto(f"{url}?__theme={theme}")
    page.get_by_role("button", name="Read", exact=True).wait_for()
    if length:
        page.get_by_label("Length in tokens").fill(str(length))
    page.get_by_role("button", name="Read", exact=True).click()
    page.get_by_text("done after").wait_for(timeout=600_000)
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_text(re.compile(r"^\s*After [\d,]+ tokens")).first.wait_for(timeout=60_000)  # the answer's label
    page.wait_for_timeout(500)
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if overflow > 0:
        wrong.append(f"{picture.name}: the page is {overflow} pixels wider than the screen")
    page.screenshot(path=str(picture), full_page=True)
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
        for name, (width, height, theme) in PICTURES.items():
            wrong += visit(browser, args.url, (width, height), theme, args.out / name, args.length)
            print(args.out / name)
        browser.close()
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
