"""A reading as a download: its files in a zip, and Python code that repeats it."""

import json
import zipfile
from pathlib import Path

from ..data import corpora
from ..trace import ABOUT, TENSORS
from .visits import Visit

FILES = (TENSORS, ABOUT, "settings.json", "answers.json")


def run_zip(visit: Visit, checkpoint: str) -> Path:
    """Write the trace, the settings and the answers into one zip in the visitor's folder.

    Args:
        visit: a visit that has read something.
        checkpoint: the model's name.

    Raises:
        ValueError: if nothing has been read yet, or a reading is in progress.
    """
    visit.check_read()
    visit.check_rest()
    visit.beliefs.save(visit.trace)
    visit.trace.save(visit.folder, visit.reader.model)
    settings = visit.settings | {"checkpoint": checkpoint, "tokens_read": visit.reader.state.tokens_read}
    for name, content in (("settings.json", settings), ("answers.json", visit.answers)):
        (visit.folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    path = visit.folder / "run.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            archive.write(visit.folder / name, name)
    return path


def snippet(visit: Visit, checkpoint: str) -> str:
    """Python code that reads the same haystack with the same model and asks the same questions.

    Raises:
        ValueError: if nothing has been read yet.
    """
    visit.check_read()
    own = visit.settings["text"] not in corpora.PACKAGED
    source = '"my_text.txt"  # the file you uploaded, or the text you pasted' if own else repr(visit.settings["text"])
    facts = "".join(f"    Fact({fact.text!r}, {fact.position:g}),\n" for fact in visit.text.facts)
    asked = [answer["question"] for answer in visit.answers]
    read, whole = visit.reader.state.tokens_read, visit.text.tokens
    stopped = "" if visit.finished else f"# The page had read {read:,} of {whole:,} tokens; this reads all of them.\n"
    questions = list(dict.fromkeys([*visit.beliefs.questions, *asked]))
    return f"""from rmt_demo import Reader, Trace
from rmt_demo.data.haystack import Fact, Haystack

background = {source}
facts = [
{facts}]
questions = {questions!r}

reader = Reader.from_pretrained({checkpoint!r})
text = Haystack(background, facts, {visit.text.length}, seed={visit.text.seed}, tokenizer=reader.tokenizer)
trace = Trace()
{stopped}for step in reader.read(text):
    trace.add(step)
    print(step.index, round(step.update_norm.max().item(), 2))
trace.tail = reader.tail
for question, answer in zip(questions, reader.ask_many(questions)):
    print(question, answer.text, f"{{answer.score:.0%}}")
trace.save("my_run", reader.model)  # then: python -m rmt_demo replay --trace my_run --checkpoint {checkpoint}
"""
