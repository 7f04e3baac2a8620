"""What the browser tab of the demo needs while a long text is read, in a real Chromium.

    python app.py &
    pip install playwright psutil
    python benchmarks/tab_memory.py --browser /usr/bin/chromium --out results      # 1,000,000 tokens: a few minutes

Twice a second, the memory of the tab's own process (USS: what would be free again if it ended) and the part of it that
JavaScript holds. Prints the largest, and with --out writes tab_memory.json into that folder.
"""

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright
from screenshot import FLAGS, PATIENCE, press

from rmt_demo import backbones

MB = 1e6
LONGEST = 60  # minutes


def tab_memory() -> float:
    """MB of the largest page process that this program's browser has."""
    sizes = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in process.cmdline():
                sizes.append(process.memory_full_info().uss / MB)
        except psutil.NoSuchProcess:
            continue
    return max(sizes)


def watch(page: Page, length: int) -> dict:
    """Read a text of this length on the page and look at its memory all the while."""
    heap = page.context.new_cdp_session(page)
    heap.send("Performance.enable")

    def javascript() -> float:
        metrics = {m["name"]: m["value"] for m in heap.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"] / MB

    page.get_by_label("Length in tokens").fill(str(length))
    before, began = tab_memory(), time.time()
    press(page, "Read")
    page.locator("#live .line").get_by_text("tokens/s").wait_for()
    tab, script = [], []
    while not page.locator("#live .line").get_by_text("done after").is_visible():
        tab.append(tab_memory())
        script.append(javascript())
        page.wait_for_timeout(500)
        if time.time() - began > 60 * LONGEST:
            raise TimeoutError(f"The reading was not done after {LONGEST} minutes: give a shorter --length.")
    return {
        "tokens": length,
        "minutes": round((time.time() - began) / 60, 1),
        "samples": len(tab),
        "before_mb": round(before, 1),
        "peak_mb": round(max(tab), 1),
        "last_mb": round(tab[-1], 1),
        "peak_javascript_mb": round(max(script), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:7860/", help="where the demo runs")
    parser.add_argument("--browser", help="path of Chromium (default: the one playwright installed)")
    parser.add_argument("--length", type=int, default=1_000_000, help="tokens to read")
    parser.add_argument("--out", type=Path, help="folder for tab_memory.json")
    args = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.browser, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(args.url)
        page.get_by_role("button", name="Read", exact=True).wait_for()
        page.wait_for_timeout(1000)  # fonts and canvases
        found = watch(page, args.length) | {"browser": f"Chromium {browser.version}"}
        browser.close()
    found |= {
        "machine": backbones.describe_machine(backbones.pick_device()),
        "command": shlex.join(["python", "benchmarks/tab_memory.py", *sys.argv[1:]]),
    }
    print(json.dumps(found, indent=1))
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "tab_memory.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
