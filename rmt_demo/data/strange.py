"""Out-of-distribution backgrounds, unlike any training text, to test whether a model still finds facts in them.

    code     the source of Python's own standard library, line by line
    german   generated German sentences, grammatical but meaningless, from a small vocabulary
    logs     generated lines of a server log
    tables   rows of random numbers
    random   random letters
    repeat   one word over and over

Unlike the sentences of `corpora.py`, these need not end in a punctuation mark.
"""

import sysconfig
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

from .corpora import MAX_WORDS, Background


def strange(kind: str, sentences: int = 2000, seed: int = 0) -> Background:
    """Make an out-of-distribution background; the same arguments give the same text.

    Args:
        kind: one of `KINDS`.
        sentences: number of sentences, lines or rows, each of at most 60 words.
        seed: chooses the words, or the order of the source files ("code" also depends on the Python version).

    Raises:
        ValueError: for an unknown kind or fewer than one sentence; for "code" without the standard library's source.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no strange text {kind!r}: choose one of {', '.join(KINDS)}.")
    if sentences < 1:
        raise ValueError(f"Ask for one or more sentences, not {sentences}.")
    return Background(kind, "eval", list(islice(_MAKERS[kind](Random(seed)), sentences)))


def _code(rng: Random) -> Iterator[str]:
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(folder.glob("*.py"))
    if not files:
        raise ValueError(f"There is no Python source in {folder}: choose another kind of text than 'code'.")
    while True:  # once all files are used, start again in another order
        for file in rng.sample(files, len(files)):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                if words := line.split()[:MAX_WORDS]:
                    yield " ".join(words)


# -- German: nouns with their articles in the nominative and the accusative case

_NOUNS = {
    ("der", "den"): """
        Arzt Bäcker Fischer Gärtner Hund König Lehrer Maler Mond Müller Ofen Schlüssel Schneider Schuh Stuhl Tisch
        Vogel Wagen Wirt Zug""".split(),
    ("die", "die"): """
        Brücke Dame Ente Fabrik Gans Geige Katze Köchin Kirche Kuh Lampe Maus Mühle Schule Stadt Straße Tür Uhr
        Wiese Ziege""".split(),
    ("das", "das"): """
        Bild Brot Buch Dorf Fahrrad Fenster Glas Haus Kind Kleid Lied Mädchen Messer Pferd Schaf Schiff Schwein
        Spiel Tor Zimmer""".split(),
}
_ADJECTIVES = "alt blau fremd groß grün jung klein krank kurz lang müd neu rot rund schnell schön schwarz weiß".split()
_VERBS = """
    bemerkt berührt beschreibt bewundert erkennt findet fürchtet hört kennt liebt malt meidet sieht sucht trägt
    vergisst vermisst zeichnet""".split()
_TIMES = """
    abends am_Morgen am_Sonntag bald früher heute im_Herbst im_Winter jeden_Tag manchmal meistens
    mittags nachts nie oft seit_Jahren selten""".split()
_BECAUSE = ("weil", "obwohl", "während", "bis", "damit")


def _german(rng: Random) -> Iterator[str]:
    while True:
        subject, thing, other, object_ = (_noun(rng, case) for case in (0, 1, 0, 1))
        verb, time = rng.choice(_VERBS), rng.choice(_TIMES).replace("_", " ")
        after = f"{rng.choice(_BECAUSE)} {other} {object_} {rng.choice(_VERBS)}"
        form = rng.choice(("{s} {v} {t} {o}.", "{t} {v} {s} {o}.", "{s} {v} {o}, {a}.", "{t} {v} {s} {o}, {a}."))
        sentence = form.format(s=subject, v=verb, t=time, o=thing, a=after)
        yield sentence[0].upper() + sentence[1:]


def _noun(rng: Random, case: int) -> str:
    """A noun with its article and usually an adjective; `case` 0 is the nominative, 1 the accusative."""
    articles = rng.choice(list(_NOUNS))
    ending = "en" if articles[case] == "den" else "e"
    adjective = f" {rng.choice(_ADJECTIVES)}{ending}" if rng.random() < 0.7 else ""
    return f"{articles[case]}{adjective} {rng.choice(_NOUNS[articles])}"


# -- machine-made text


_SERVICES = "auth.service billing cache db.pool gateway kernel mailer queue.worker scheduler storage".split()
_EVENTS = {
    "INFO": (
        "GET /api/v{n}/items/{id} 200 in {ms}ms",
        "started worker {n} pid={id}",
        "session {hex} closed after {ms}ms",
    ),
    "DEBUG": ("cache miss key={hex} ttl={ms}", "query took {ms}ms rows={id}", "heartbeat ok seq={id}"),
    "WARN": ("retry {n}/5 for job {hex}", "slow request id={hex} {ms}ms", "disk /dev/sd{n} at {pct}%"),
    "ERROR": ("connection to 10.0.{n}.{pct} refused (errno 111)", "timeout after {ms}ms in handler {hex}"),
}


def _logs(rng: Random) -> Iterator[str]:
    clock = rng.randrange(24 * 3600 * 1000)  # milliseconds since midnight
    while True:
        clock = (clock + rng.randrange(1, 5000)) % (24 * 3600 * 1000)
        seconds, milliseconds = divmod(clock, 1000)
        time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"
        level = rng.choices(list(_EVENTS), (6, 3, 2, 1))[0]
        event = rng.choice(_EVENTS[level]).format(
            n=rng.randrange(1, 10),
            id=rng.randrange(1000, 99999),
            ms=rng.randrange(1, 9000),
            pct=rng.randrange(1, 100),
            hex=f"{rng.getrandbits(32):08x}",
        )
        yield f"{time} {level} [{rng.choice(_SERVICES)}] {event}"


def _tables(rng: Random) -> Iterator[str]:
    while True:
        columns = [rng.randrange(4) for _ in range(rng.randint(4, 10))]  # digits after the point
        for _ in range(rng.randint(10, 60)):
            yield " | ".join(f"{rng.gauss(0, 10 ** rng.randint(0, 4)):.{digits}f}" for digits in columns)


# -- meaningless words


def _random(rng: Random) -> Iterator[str]:
    while True:
        yield " ".join(_letters(rng) for _ in range(rng.randint(5, 25))) + "."


def _letters(rng: Random) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9)))


def _repeat(rng: Random) -> Iterator[str]:
    word = rng.choice("again and hello more nothing tick very word yes".split())
    while True:
        yield " ".join([word] * rng.randint(5, 25)) + "."


_MAKERS: dict[str, Callable[[Random], Iterator[str]]] = {
    "code": _code,
    "german": _german,
    "logs": _logs,
    "tables": _tables,
    "repeat": _repeat,
    "random": _random,
}
KINDS = tuple(_MAKERS)
