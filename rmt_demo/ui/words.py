"""What the page says about itself: the opening, and behind each "What is this?" what is shown, where the paper has it,
and which lab builds it by hand."""

PAPER = "[arXiv 2304.11062](https://arxiv.org/abs/2304.11062)"
ABOUT = """
# Recurrent Memory Transformer

A {layers}-layer Transformer that sees {segment} tokens at a time reads a text of any length by carrying **{memory:,}
memory tokens** from one segment to the next. Hide facts in a long text (a *haystack*), watch the memory while the
model reads it, and ask: only what the memory kept can be answered.
"""
PLACES_ONLY = """
This checkpoint answers any question with one of six places, {places} or {last}: the presets "Memorize", "Detect &
memorize" and "Reasoning" ask for nothing else.
"""

HAYSTACK = f"""
A **haystack** is a long background text with facts hidden at places you choose. Its length is counted in *tokens*,
the pieces of words that the model reads. The presets are the tasks of {PAPER} (section "Memorization Tasks"; facts
and questions in the words of bAbI) and everyday facts in words and phrasings that were kept out of training. Where
facts come from a preset, the page knows the right answers: a small program (the *oracle*) derives them from the
facts.

Uploads: one UTF-8 text file of up to {{upload_mb}} MB. Pasted text: up to {{characters:,}} characters. As any
background it begins at a sentence that the seed draws, goes round until the length is reached or is cut there, and
leaves out sentences of one or two words. The link restores everything but a text of your own. *Labs:
`labs/05_tasks.ipynb`, `labs/11_your_own_facts.ipynb`.*
"""

LIVE = f"""
Everything here is read off the model as it runs. The text is cut into **segments**: {{segment}} tokens, of which up to
{{text}} are text, beside {{working}} memory tokens. After each segment the outputs at the memory positions become the
memory tokens of the next: *H_mem(τ+1) := H̄_mem(τ)*, the recurrence of {PAPER} (figure 2). This checkpoint may have a
**write gate** in addition: where it stays shut, the memory does not change at all, and a change is a visible event. It
may also have **stored tokens** ({{stored:,}} here), the rows below the line: before a segment is written, what was
written before moves there, and questions see it all. The bars and rows show the length (L2 norm) of each change.

The two meters compare the room that attention scores, keys and values need; both are **estimates** from the model's
shape, not measurements. Full attention grows with the square of the length, RMT's share does not grow (figures 1 and
3 of the paper). *Labs: `labs/03_recurrence.ipynb`, `labs/08_to_two_million_tokens.ipynb`,
`labs/10_what_it_costs.ipynb`.*
"""

BELIEFS = """
The questions you follow are asked again as the text goes by, all in one batch, on a copy of the memory, so that
nothing is disturbed. **Confidence** is the probability that the model gives its answer. A memory that has not changed
gives the same answers, so it is asked again only after a write; on very long texts only every few segments. *Learned*,
*forgot* and *missed* are said where the right answer is known, otherwise the page notes what the model says first, and
when it says something else. *Lab: `labs/09_looking_inside.ipynb`.*
"""

TRAVEL = f"""
The text of one segment, shaded by how much **attention** the memory tokens paid to each of its tokens: to what they
looked at when they were rewritten. Choose a layer, a head or a single memory token, or the mean of all. This is the
*write* operation of figure 6 in {PAPER}; attention says where a memory token looked, not what it took. "Ask here"
answers from the memory as it was after this segment. *Labs:
`labs/02_memory_tokens.ipynb`, `labs/09_looking_inside.ipynb`.*
"""

SURGERY = f"""
Change memory tokens after a segment, read the rest of the text again, and compare with the untouched run. **Erase**
puts a token back to its learned initial value, **freeze** keeps it as it is to the end, **swap** exchanges two,
**noise** adds random numbers (at strength 1, as long as the token itself). An answer that survives was kept elsewhere
too. Memory tokens are the rows of *H_mem* in {PAPER}. *Lab: `labs/09_looking_inside.ipynb`.*
"""

RACE = f"""
One question, the same trained weights, three readers. **RMT** has read everything, and answers from its memory.
**The last segment only** is the same reader that got nothing but the end of the text. **The longest window** sees as
many tokens as the backbone has positions for right beside the question, though it was trained on shorter segments and
mostly to answer from memory: it says what a longer window gives this very network, not what a network trained for it
could do. Seconds are measured here (RMT's leave out the questions that were followed), FLOPs are counted as in figure
3 of {PAPER}. *Labs: `labs/01_segments.ipynb`, `labs/10_what_it_costs.ipynb`.*
"""

HOME = """
The zip holds the whole run: `trace.safetensors` and `trace.json` (memories, changes, tokens, answers along the way),
`settings.json` and `answers.json`. `python -m rmt_demo replay --trace run.zip` looks into it (with `--checkpoint`, if
the page was not started with the default one). The lines of Python do the same as this page. The page can also be
called by a program: "Use via API" at the very bottom documents `read_and_ask`. *Lab: `labs/03_recurrence.ipynb`.*
"""

# (what to show, by element id; words). Told one after the other by the tour.
TOUR = [
    (
        "haystack",
        "Choose a preset or type a fact of your own: it is hidden in a long text of up to 10 million tokens.",
    ),
    (
        "buttons",
        "Press Read. The model reads the text segment by segment, in constant memory. Pause or stop at any time.",
    ),
    (
        "live",
        "Watch the memory tokens. Where bars stand out, the model has written something down.",
    ),
    ("asking", "Ask at any moment. Only what the memory kept, and the last few sentences, can be answered."),
    (
        "explore",
        "Go back to any segment, operate on memory tokens, race against a model without memory, take it all home.",
    ),
]
