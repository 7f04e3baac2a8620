"""The lessons keep their promises to the reader. Running them is nbmake's work: `make test` does it in fast mode."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LABS = Path(__file__).parents[1] / "labs"
NOTEBOOKS = sorted(LABS.glob("*.ipynb"))
MOST_CELLS, MOST_LINES, MOST_BYTES = 25, 15, 500_000
PROSE = (3, 6)  # words for every line of code
EARLY = 5  # a picture by this code cell

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def sources(path: Path, kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in cells(path, kind)]


def lines(code: str) -> list[str]:
    return [line for line in code.splitlines() if line.strip()]


def outputs(path: Path) -> list[dict]:
    return [output for cell in cells(path, "code") for output in cell["outputs"]]


def test_opens_with_its_question_minutes_and_machine(path):
    opening = sources(path, "markdown")[0]
    assert json.loads(path.read_text())["cells"][0]["cell_type"] == "markdown"
    number = int(path.name[:2])
    assert re.match(rf"# {number}\. ", opening), f"begin with '# {number}. Title'"
    assert re.search(r"\*\*The question:\*\* .*\?", opening), "give the ONE question: '**The question:** ...?'"
    assert re.search(r"2 CPU cores.*\d+ minutes?", opening), "say '2 CPU cores, N minutes'"
    assert "colab-badge.svg" in opening and f"labs/{path.name}" in opening, "link to Colab and to the local file"


def test_one_settings_cell_reads_the_fast_mode_and_sets_seeds(path):
    settings = [code for code in sources(path, "code") if "RMT_FAST" in code]
    assert len(settings) == 1, "read RMT_FAST in one settings cell"
    assert "seed" in settings[0].lower(), "the settings cell sets the seeds"


def test_code_comes_in_small_cells(path):
    codes = sources(path, "code")
    assert len(codes) <= MOST_CELLS, f"{len(codes)} code cells: split the lesson"
    longest = max(codes, key=lambda code: len(lines(code)))
    assert len(lines(longest)) <= MOST_LINES, f"{len(lines(longest))} lines in one cell:\n{longest}"


def test_words_and_code_are_in_balance(path):
    """Between the opening and the takeaways, the check at the end apart."""
    prose = "\n".join(sources(path, "markdown")[1:]).partition("## Takeaways")[0]
    ratio = len(prose.split()) / sum(len(lines(code)) for code in sources(path, "code")[:-1])
    assert PROSE[0] <= ratio <= PROSE[1], f"{ratio:.1f} words for every line of code"


def test_uses_the_library_and_its_pictures(path):
    code = "\n".join(sources(path, "code"))
    assert "rmt_demo" in code
    for package in ("plotly", "ipywidgets", "matplotlib"):
        assert not re.search(rf"^\s*(import|from) {package}", code, re.MULTILINE), f"{package}: use charts and widgets"


def test_ends_with_takeaways_exercises_and_a_check(path):
    markdown = "\n".join(sources(path, "markdown"))
    assert "## Takeaways" in markdown
    exercises = re.split(r"^### Exercise ", markdown.partition("## Exercises")[2], flags=re.MULTILINE)[1:]
    assert 2 <= len(exercises) <= 3, "two or three exercises, each under '### Exercise N'"
    for text in exercises:
        heading = text.splitlines()[0]
        assert re.search(r"(easy|medium|hard), \d+ minutes", heading), f"say how hard and long: {heading!r}"
        assert "Hint" in text and "<details>" in text and "Solution" in text
    assert "assert" in sources(path, "code")[-1], "the last cell checks what the lesson claims"


def test_is_saved_as_it_ran(path):
    run = [cell["execution_count"] for cell in cells(path, "code")]
    assert run == list(range(1, len(run) + 1)), "run it from top to bottom before saving"
    assert not [output for output in outputs(path) if output["output_type"] == "error"]
    assert "widgets" not in json.loads(path.read_text())["metadata"], "strip metadata.widgets"
    assert path.stat().st_size <= MOST_BYTES, "outputs this large do not belong into a repository"
    text = json.dumps(outputs(path))
    assert not re.search(r"/(home|root|Users|tmp|work)/", text), "an output shows a path of the author's machine"


def test_shows_a_picture_early_that_needs_no_script(path):
    first = cells(path, "code")[:EARLY]
    kinds = {kind for cell in first for output in cell["outputs"] for kind in output.get("data", {})}
    assert kinds & {"image/svg+xml", "image/png"}, f"widgets.show(...) a figure in the first {EARLY} code cells"


def test_the_map_lists_it(path):
    table = re.findall(r"^\|.*\]\((\d\d_\w+\.ipynb)\)", (LABS / "README.md").read_text(), re.MULTILINE)
    assert path.name in table, "add the lesson to the table in labs/README.md"
    assert [name for name in table if not (LABS / name).exists()] == [], "the table lists lessons that are not there"


@pytest.mark.slow
def test_solutions_run_after_the_lesson(path, monkeypatch):
    """In fast mode; but for what needs the full run of another lesson."""
    exercises = "\n".join(sources(path, "markdown")).partition("## Exercises")[2]
    solutions = re.findall(r"^```python\n(.*?)^```", exercises, re.DOTALL | re.MULTILINE)
    needed = re.compile(r'"runs" / "(lesson-\d+)"')
    solutions = [
        code for code in solutions if all((LABS.parent / "runs" / run).exists() for run in needed.findall(code))
    ]
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += map(nbformat.v4.new_code_cell, solutions)
    monkeypatch.setenv("RMT_FAST", "1")
    NotebookClient(notebook, resources={"metadata": {"path": str(LABS)}}).execute()
