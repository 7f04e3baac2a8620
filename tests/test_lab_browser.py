"""A lesson's slider in a real JupyterLab in a real browser. Skipped where there is no browser to be had.

That a figure comes back from the kernel says nothing about what the page does with it, so the drawn picture is read.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
import test_ui_browser

pytest.importorskip("jupyterlab", reason="pip install jupyterlab to test the lessons in it")

ROOT = Path(__file__).parent.parent
PATIENCE = 300_000  # milliseconds; JupyterLab is large and the machine may be busy
TOKEN = "lesson"
LESSON = """from rmt_demo import charts, widgets


def draw(depth):
    return charts.bars({f"segment {i}": 10 * i for i in range(1, depth + 1)}, f"{depth} segments")


widgets.explore(draw, depth=(1, 5))"""
browser = test_ui_browser.browser
expect = test_ui_browser.expect


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """The address of a small lesson, in a JupyterLab that knows nothing of this machine's own."""
    folder, own = tmp_path_factory.mktemp("lessons"), tmp_path_factory.mktemp("jupyter")
    cells = [nbformat.v4.new_code_cell(LESSON)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "lesson.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--ServerApp.ip=127.0.0.1"]
    command += ["--ServerApp.port_retries=0", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = os.environ | {name: str(own / name.lower()) for name in names} | {"PYTHONPATH": path}
    log = own / "log.txt"
    with log.open("w") as out, subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT) as server:
        try:
            until = time.monotonic() + PATIENCE / 1000
            while not answers(f"http://127.0.0.1:{port}/api/status?token={TOKEN}"):
                assert server.poll() is None and time.monotonic() < until, f"no JupyterLab:\n{log.read_text()}"
                time.sleep(1)
            yield f"http://127.0.0.1:{port}/lab/tree/lesson.ipynb?token={TOKEN}"
        finally:
            server.terminate()  # it ends its kernels first
            try:
                server.wait(timeout=120)
            except subprocess.TimeoutExpired:
                server.kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.mark.slow
def test_moving_a_slider_draws_the_picture_again(browser, lesson):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(lesson)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    slider, plot = page.get_by_role("slider"), page.locator(".js-plotly-plot")
    for key, depth in ((None, 3), ("ArrowRight", 4), ("ArrowRight", 5), ("Home", 1)):
        if key:
            slider.press(key)
        expect(slider).to_have_attribute("aria-valuetext", str(depth), timeout=PATIENCE)
        expect(plot.locator(".bartext")).to_have_text([f"{10 * i}" for i in range(1, depth + 1)], timeout=PATIENCE)
        expect(plot.locator(".gtitle")).to_have_text(f"{depth} segments", timeout=PATIENCE)
    expect(page.locator(".jp-OutputArea")).not_to_contain_text(re.compile("Error displaying widget|Loading widget"))
    page.close()
