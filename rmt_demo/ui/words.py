"""The page's texts: the opening, the tour, and the "About ..." panels, which explain what is shown, cite the paper and
name the lab that builds it by hand."""

PAPER = "[arXiv 2304.11062](https://arxiv.org/abs/2304.11062)"
ABOUT = """
# Recurrent Memory Transformer

This {layers}-layer Transformer sees {segment} tokens at a time. It reads a text of any length by carrying **{memory:,}
memory tokens** from one segment to the next. Hide facts in a long text (a *haystack*), watch the memory while the model
reads, and ask: it can answer only from what the memory kept.
"""
PLACES_ONLY = """
This checkpoint was trained on the paper's tasks alone: it answers every question with one of six places, {places} or
{last}. Use the presets "Memorize", "Detect & memorize" and "Reasoning".
"""

HAYSTACK = f"""
A **haystack** is a long background text with facts hidden at positions you choose. Its length is counted in *tokens*,
the word pieces that the model reads. The presets are the tasks of {PAPER} (section "Memorization Tasks"; facts and
questions in the words of bAbI), and everyday facts in words and phrasings held out from training. For the facts of a
preset the page knows the right answers: a small program (the *oracle*) derives them from the facts.

You can upload one UTF-8 text file of up to {{upload_mb}} MB, or paste up to {{characters:,}} characters. Every
background starts at a random sentence (the seed decides which), and is repeated or cut to the chosen length. Sentences
of one or two words are skipped. The link restores everything except a text of your own. *Labs: `labs/05_tasks.ipynb`,
`labs/11_your_own_facts.ipynb`.*
"""

LIVE = f"""
Everything here comes from the model as it runs. The text is cut into **segments** of {{segment}} tokens: up to {{text}}
of text, and {{working}} memory tokens. After each segment the outputs at the memory positions become the memory tokens
of the next segment: *H_mem(τ+1) := H̄_mem(τ)*, the recurrence of {PAPER} (figure 2). Some checkpoints add a **write
gate**: while it stays shut the memory does not change at all, so every change is a visible event. Some also have
**stored tokens** ({{stored:,}} here), the rows below the line: before a memory token is overwritten, its old value
moves there. Questions see both. Bars and rows show the size (L2 norm) of each change.

The two meters compare the bytes needed for attention scores, keys and values. Both are **estimates** from the model's
shape, not measurements. Full attention's bytes grow with the square of the length, RMT's not at all (figures 1 and 3 of
the paper). *Labs: `labs/03_recurrence.ipynb`, `labs/08_to_two_million_tokens.ipynb`,
`labs/10_what_it_costs.ipynb`.*
"""

BELIEFS = """
While the text is read, the questions you follow are asked again and again, in one batch and on a copy of the memory, so
that reading is not disturbed. **Confidence** is the probability of the answer under the model. An unchanged memory
gives the same answers, so the questions are asked only after a write, and on very long texts only every few segments.
If the right answer is known, the page marks when it was *learned*, *forgotten* or *missed*; otherwise it marks the
first answer and every change. *Lab: `labs/09_looking_inside.ipynb`.*
"""

TRAVEL = f"""
The text of one segment, shaded by how much **attention** the memory tokens paid to each token while they were being
rewritten. Choose a layer, a head or a single memory token, or the mean of all. This is the *write* operation of figure
6 in {PAPER}. Attention tells where a memory token looked, not what it took from there. "Ask here" answers from the
memory as it was after this segment. *Labs:
`labs/02_memory_tokens.ipynb`, `labs/09_looking_inside.ipynb`.*
"""

SURGERY = f"""
Change memory tokens after a segment, read the rest of the text again, and compare with the untouched run. **Erase**
resets a token to its learned initial value, **freeze** keeps it unchanged to the end, **swap** exchanges two, **noise**
adds random numbers (at strength 1 with the same norm as the token). If the answer survives, it was kept elsewhere too.
Memory tokens are the rows of *H_mem* in {PAPER}. *Lab: `labs/09_looking_inside.ipynb`.*
"""

RACE = f"""
One question, three readers with the same weights. **RMT** has read everything and answers from its memory. **The last
segment only** has read just the end of the text. **The longest window** sees as many tokens before the question as the
backbone has positions for. It was trained on shorter segments and mostly to answer from memory, so this shows what a
longer window gives this network, not what a network trained for it could do. Seconds are measured here (RMT's exclude
the questions that were followed); FLOPs are counted as in figure 3 of {PAPER}. *Labs: `labs/01_segments.ipynb`,
`labs/10_what_it_costs.ipynb`.*
"""

HOME = """
The zip holds the whole run: `trace.safetensors` and `trace.json` (memories, changes, tokens, answers along the way),
`settings.json` and `answers.json`. Open it with `python -m rmt_demo replay --trace run.zip` (add `--checkpoint` if the
page was not started with the default one). The Python code repeats what you did on this page. Programs can call the
page too: "Use via API" at the very bottom documents `read_and_ask`. *Lab: `labs/03_recurrence.ipynb`.*
"""

# The steps of the tour: (id of the element to highlight, text).
TOUR = [
    (
        "haystack",
        "Choose a preset or type a fact of your own. It will be hidden in a text of up to 10 million tokens.",
    ),
    (
        "buttons",
        "Press Read. The model reads the text segment by segment, in constant memory. Pause or stop at any time.",
    ),
    (
        "live",
        "Watch the memory tokens. A tall bar means that the model has written something down.",
    ),
    ("asking", "Ask at any time. The model can answer only from its memory and the last few sentences."),
    (
        "explore",
        "Go back to any segment, change memory tokens, race against readers without memory, download the run.",
    ),
]
