"""The README's first table: what was to be shown beside what was measured."""

import json
from pathlib import Path

from rmt_demo.evaluation.goals import GOALS, Goal, table

ROOT = Path(__file__).parents[1]


def write(folder: Path, file: str, accuracy: float, samples: int, segments: int = 8) -> None:
    row = {"segments": segments, "accuracy": accuracy, "low": accuracy - 9, "high": accuracy + 1, "samples": samples}
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / f"{file}.json").write_text(json.dumps({"checkpoint": "rmt-any", "rows": [row]}))


def cells(folder: Path, goal: Goal) -> list[str]:
    return table(folder, [goal]).splitlines()[2].strip("| ").split(" | ")


def test_haystacks_of_several_files_are_counted_together(tmp_path):
    write(tmp_path, "told/qa5", 87.5, 64)
    write(tmp_path, "more/qa5", 76.6, 64)
    found = cells(tmp_path, Goal("qa5", 85, 8, ("told/qa5", "more/qa5")))
    assert found == ["qa5", "8", "", "85", "82.0 (74.5–87.7)", "128", "rmt-any", "no"], "56 and 49 of 64"


def test_a_goal_is_reached_by_the_share_that_was_measured(tmp_path):
    write(tmp_path, "open", 90.0, 100)
    assert cells(tmp_path, Goal("open", 90, 8, ("open",)))[-2:] == ["rmt-any", "yes"]
    assert cells(tmp_path, Goal("open", 90.1, 8, ("open",)))[-1] == "no"


def test_beside_a_rival_the_worst_counts_and_the_difference(tmp_path):
    write(tmp_path, "open", 90.6, 96)
    write(tmp_path, "open-logs", 87.5, 96)
    write(tmp_path, "open-code", 95.0, 96)
    found = cells(tmp_path, Goal("strange", -3, 8, ("open-code", "open-logs"), rival="open"))
    assert found[3:6] == ["87.6", "87.5 (78.5–88.5)", "96"] and found[-1] == "no"


def test_what_is_not_measured_in_full_has_no_line(tmp_path):
    write(tmp_path, "open-logs", 87.5, 96)
    write(tmp_path, "open", 87.5, 96, segments=1)
    assert table(tmp_path, [Goal("both", 85, 8, ("open-logs", "open-code"))]) == ""
    assert table(tmp_path, [Goal("no rival", -3, 8, ("open-logs",), rival="open")]) == ""
    assert table(tmp_path) == ""


def test_every_goal_is_measured_in_this_repository():
    lines = table(ROOT / "results").splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in lines] == [goal.claim for goal in GOALS]
