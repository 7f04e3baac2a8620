"""The paper's figures from measured results, and the one command that measures figure 5."""

import json
import re

import pytest
import torch
from tiny import tiny_backbone, tiny_book, tiny_model

from rmt_demo import Reader, accuracies, plots
from rmt_demo.attention import SegmentAttention
from rmt_demo.cli import main
from rmt_demo.data.samples import Mixture
from rmt_demo.evaluation import figures, stages
from rmt_demo.evaluation.tables import TITLES
from rmt_demo.training.curriculum import Recipe, Stage
from rmt_demo.training.recipes import RECIPES

SMALL = Recipe(
    head="classification",
    config={"num_labels": 6, "num_memory_tokens": 4, "segment_length": 48},
    warmup=1,
    stages=tuple(
        Stage(Mixture(2, (0, n - 1), questions=1, tail_rate=1.0, task_rate=1.0, background=2), (48,), 1e-3, 1.0, 2)
        for n in (1, 2)
    ),
)


def rows(*segments: int, **more) -> list[dict]:
    share = {"accuracy": 90.0, "low": 88.0, "high": 91.0, "samples": 9}
    return [{"segments": n, "tokens": 200 * n, **share, **more} for n in segments]


def save(folder, task: str, found: list[dict]) -> None:
    (folder / f"{task}.json").write_text(json.dumps({"task": task, "rows": found}))


def test_figure_1_shows_what_is_beyond_training(tmp_path, capsys):
    for task in figures.FIGURE_1:
        save(tmp_path, task, rows(1, 64, 4096))
    by_segments, by_tokens = figures.far_beyond(tmp_path)
    ours = {line.name: line.x for line in by_segments.data}[TITLES["open"]]
    assert ours == (64, 4096), "shorter texts are not in the paper's figure"
    assert any("paper" in line.name for line in by_segments.data)
    assert {line.name: line.x for line in by_tokens.data}[TITLES["open"]] == (12_800, 819_200)
    assert main(["figure", "1", "--results", str(tmp_path), "--out", str(tmp_path / "docs")]) == 0
    page = tmp_path / "docs" / "figure1.html"
    assert capsys.readouterr().out.strip() == str(page)
    text = page.read_text()
    assert text.count("plotly-graph-div") == 2 and "https://cdn" not in text
    assert '<script src="plotly.min.js">' in text and (tmp_path / "docs" / "plotly.min.js").stat().st_size > 1e6


def test_figure_1_of_a_checkpoint_that_only_classifies(tmp_path):
    for task in ("memorize", "detect", "reasoning"):
        save(tmp_path, task, rows(64, 4096))
    names = [line.name for line in figures.far_beyond(tmp_path)[0].data]
    assert sum("paper" not in name for name in names) == 3 and sum("paper" in name for name in names) == 3


def test_missing_results_say_which_command_makes_them(tmp_path):
    with pytest.raises(
        ValueError, match=f"memorize.json: make it with .*eval --out {tmp_path} --tasks mem.* --segments 64 512"
    ):
        figures.draw(1, tmp_path, tmp_path)
    for task in figures.FIGURE_1:
        save(tmp_path, task, rows(1, 8))
    with pytest.raises(ValueError, match="no rows of 64 or more segments: run `python"):
        figures.draw(1, tmp_path, tmp_path)
    with pytest.raises(ValueError, match=f"figure5.json: make it with .*eval --out {tmp_path} --figure5 paper"):
        figures.draw(5, tmp_path, tmp_path)
    with pytest.raises(ValueError, match="Figure 2 cannot be drawn: choose from 1, 3, 5, 6"):
        figures.draw(2, tmp_path, tmp_path)


def test_figure_3_needs_no_results(tmp_path):
    page = figures.draw(3, tmp_path / "docs", tmp_path)
    assert page.name == "figure3.html" and "OPT-175B, full attention" in page.read_text()
    assert page.read_text().count("plotly-graph-div") == 1


def test_beside_figure_3_stands_what_was_measured(tmp_path):
    taken = [("fused", 512, 1.0), ("rmt", 512, 2.0), ("rmt", 1024, 4.0)]  # full attention was given up after 512
    measured = [{"way": way, "length": n, "seconds": s, "peak_mb": 100 * s} for way, n, s in taken]
    about = {"checkpoint": "tiny", "machine": "a laptop"}
    (tmp_path / "cost.json").write_text(json.dumps(about | {"rows": measured}))
    seconds, memory = figures.measured_cost(tmp_path)
    drawn = {line.name: line.y for line in memory.data}
    assert drawn["RMT"] == (200.0, 400.0) and drawn["full attention, fused"] == (100.0, None)
    assert "tiny on a laptop" in seconds.layout.title.text
    page = figures.draw(3, tmp_path / "docs", tmp_path)
    assert page.read_text().count("plotly-graph-div") == 3


def test_figure_5_has_a_line_for_each_stage(tmp_path):
    found = rows(1, 2, task="detect", trained_on=1) + rows(1, 2, task="detect", trained_on=3)
    found = [row | {"backbone": "somewhere/tiny"} for row in found + rows(3, task="memorize", trained_on=7)]
    save(tmp_path, "figure5", found)
    memorize, detect = figures.after_each_stage(tmp_path)
    chance, seventh = "the paper's, trained on 1 (about)", "the paper's, trained on 1 to 7 (about)"
    assert [line.name for line in detect.data] == ["trained on 1", chance, "trained on 1 to 3"]
    assert detect.data[1].y == (17, 17), "one class of six"
    assert "tiny" in detect.layout.title.text and "somewhere" not in detect.layout.title.text
    assert {line.name: line.x for line in memorize.data} == {"trained on 1 to 7": (3,), seventh: (15,)}
    alone = accuracies.stages({"rows": found}, "detect")
    assert [line.name for line in alone.data] == ["trained on 1", "trained on 1 to 3"], "the paper's only if asked for"
    with pytest.raises(ValueError, match="'reasoning' holds no accuracies by segments"):
        accuracies.stages({"rows": found}, "reasoning")
    with pytest.raises(ValueError, match="no task 'open': draw it without the paper"):
        accuracies.stages({"rows": rows(1, task="open", trained_on=1)}, "open", paper=True)


def test_figure_5_is_trained_and_measured_by_one_command(tmp_path, monkeypatch, fresh_accelerator):
    backbone = tiny_backbone(tmp_path / "backbone")
    book = str(tiny_book(tmp_path / "book.txt", 20_000))
    given = {"backbone": backbone, "tasks": ["detect"], "samples": 4, "segments": (1, 3), "background": [book]}
    result = stages.measure(SMALL, tmp_path / "runs", tmp_path / "results", **given)
    assert json.loads((tmp_path / "results" / "figure5.json").read_text()) == result
    assert [(r["task"], r["trained_on"], r["segments"]) for r in result["rows"]] == [
        ("detect", 1, 1),
        ("detect", 1, 3),
        ("detect", 2, 1),
        ("detect", 2, 3),
    ]
    made = json.loads((tmp_path / "runs" / "detect" / "stage-2" / "training.json").read_text())
    assert made["init"] == str(tmp_path / "runs" / "detect" / "stage-1"), "each stage starts from the one before"
    assert made["recipe"]["stages"][0]["mixture"]["tasks"] == ["detect"], "a model of its own for each task"
    assert len({r["sha256"] for r in result["rows"]}) == 2, "a checkpoint for each stage"
    assert {r["backbone"] for r in result["rows"]} == {str(backbone)}, "tasks may begin with backbones of their own"

    asked = []
    ask = stages.ask
    monkeypatch.setattr(stages, "ask", lambda *given: asked.append(given[3]) or ask(*given))
    again = stages.measure(SMALL, tmp_path / "runs", tmp_path / "results", **given | {"segments": (1, 2)})
    assert asked == [2, 2], "what is measured already is left as it is"
    assert [r["segments"] for r in again["rows"]] == [1, 2, 3, 1, 2, 3]


def test_figure_5_from_the_command_line(capsys, monkeypatch):
    given = {}
    monkeypatch.setattr(stages, "measure", lambda *a, **k: given.update(k, args=a) or {"rows": rows(3, trained_on=2)})
    assert main(["eval", "--figure5", "paper-smoke", "--backbone", "b", "--tasks", "detect", "--samples", "9"]) == 0
    assert given.pop("args") == (RECIPES["paper-smoke"], "runs/figure5-paper-smoke", "runs/results")
    assert given == {"backbone": "b", "tasks": ["detect"], "samples": 9}
    assert "3 segments, trained on 2:  90.0% right" in capsys.readouterr().out
    assert main(["eval", "--figure5", "pie"]) == 2 and "no recipe 'pie'" in capsys.readouterr().err
    assert main(["eval", "--backbone", "b"]) == 2 and "--figure5" in capsys.readouterr().err


def test_figure_5_knows_the_paper_s_tasks_alone(tmp_path):
    with pytest.raises(ValueError, match="no task 'open': choose from memorize, detect, reasoning"):
        stages.measure(SMALL, tmp_path, tmp_path, tasks=["open"])


def test_figure_5_is_about_models_that_choose_a_place(tmp_path):
    with pytest.raises(ValueError, match="needs a recipe of a classifier: choose paper, paper-brief"):
        stages.measure(RECIPES["open"], tmp_path / "runs", tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_a_file_that_holds_no_results_is_named(tmp_path, content):
    (tmp_path / "memorize.json").write_text(content)
    with pytest.raises(ValueError, match="memorize.json holds no results: remove it"):
        figures.draw(1, tmp_path, tmp_path)


@pytest.mark.parametrize(("number", "file"), [(1, "memorize"), (3, "cost"), (5, "figure5")])
def test_rows_that_lack_what_is_drawn_are_one_sentence(tmp_path, number, file):
    save(tmp_path, file, [{}])
    with pytest.raises(ValueError, match=f"{file}.json holds no results: remove it, and make it again with"):
        figures.draw(number, tmp_path, tmp_path)


@pytest.mark.parametrize("head", ["masked_lm", "classification"])
def test_figure_6_has_the_paper_s_four_operations(tmp_path, head, monkeypatch):
    book = tiny_book(tmp_path / "book.txt", 5_000)
    monkeypatch.setattr(figures, "USUAL", (str(book),))
    tiny_model(tiny_backbone(tmp_path / "backbone"), head, segment_length=96).save_pretrained(tmp_path / "tiny")
    reader = Reader.from_pretrained(tmp_path / "tiny")
    first, none, second, (asked, answering) = figures.reasoning_sample(reader, seed=0)
    for sentence, seen in (first, second):
        text = reader.tokenizer.decode(seen.text_ids)
        assert " ".join(re.findall(r"\w+", sentence.lower())) in text, "the fact stands in its segment"
    assert none[0] == "no fact" and asked.startswith("What is")
    assert not torch.equal(first[1].memory, second[1].memory), "the memory is handed on"
    assert answering.weights.shape[2] == (3 if head == "masked_lm" else 1), "the slots of the answer, or [CLS]"
    titles = [figure.layout.title.text for figure in figures.operations(reader)]
    assert [title.split(":")[0] for title in titles] == ["Write", "Retain", "Append", "Read"]


def test_attention_is_drawn_without_the_special_tokens():
    weights = torch.rand(2, 3, 4, 4 + 5).softmax(-1)  # 4 memory tokens; [CLS] [SEP] lamp <b> [SEP]
    seen = SegmentAttention(weights, [1, 2, 3, 4, 2], torch.zeros(1, 4, 8), torch.ones(4))
    [heat] = plots.attention(seen, ["[CLS]", "[SEP]", "lamp", "<b>", "[SEP]"], "Write").data
    shown = torch.tensor(heat.z)
    torch.testing.assert_close(shown, weights.mean((0, 1))[:, [0, 1, 2, 3, 6, 7]], atol=1e-6, rtol=0)
    assert list(heat.customdata[0][3:]) == ["memory token 3", "lamp", "&lt;b&gt;"]
