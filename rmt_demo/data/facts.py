"""Stories made of everyday facts, with questions whose answers come from the oracle, never from a hand.

    StoryGenerator(split="train").story(num_facts=3, num_questions=2)

draws facts that are easy to confuse (another person with the same kind of fact, another fact about the same
person). Some stories override one of their facts, in some a person carries a thing somewhere, and some
questions ask what no sentence says.
"""

from collections.abc import Iterable, Sequence
from random import Random

from ..questions import UNKNOWN
from .families import CARRIED, FAMILIES, HELD_OUT, PRACTISED, TRAINED, Family, paraphrases, slot_kind, slots_of
from .words import PROPER, pool, side
from .world import Query, Question, Slots, Statement, Story, key_of, oracle, render

MOST_FACTS = 20  # in a story: many more, and the evaluation words run out


class StoryGenerator:
    """An endless, reproducible source of stories.

    Args:
        split: "train" or "eval": which words, and which paraphrases of the training families.
        seed: the same seed gives the same stories on every machine.
        extra_words: further words; those on this split's side stand in for half of all slot words.

    Raises:
        ValueError: for an unknown split.
    """

    def __init__(self, split: str = "train", seed: int = 0, extra_words: Sequence[str] = ()) -> None:
        if split not in ("train", "eval"):
            raise ValueError(f'The split is "train" or "eval", not {split!r}.')
        self.split = split
        self.rng = Random(seed)
        self.extra_words = [word for word in extra_words if side(word) == split and word.lower() != UNKNOWN]

    def story(
        self,
        num_facts: int,
        num_questions: int,
        unknown_rate: float = 0.15,
        families: str | Sequence[Family] = "train",
    ) -> Story:
        """Draw one story.

        Args:
            num_facts: sentences, 1 to 20; an override and each step of a carried thing count as one.
            num_questions: questions, on different facts as far as there are any; 0 for none.
            unknown_rate: how many of them ask what the story does not say.
            families: "train", or in the evaluation split also "heldout" (families never trained on) or "all"; or those
                of your own (see `families.own`).

        Raises:
            ValueError: for a number out of range, or held-out families asked of the training split.
        """
        if not 1 <= num_facts <= MOST_FACTS:
            raise ValueError(f"A story has 1 to {MOST_FACTS} facts, not {num_facts}.")
        if num_questions < 0 or not 0 <= unknown_rate <= 1:
            raise ValueError("Ask for zero or more questions and an unknown_rate between 0 and 1.")
        choice = self._families(families)
        plot: list[Statement] = []
        if TRAINED["take"] in choice and num_facts > 1 and self.rng.random() < 0.11:
            plot = self._carry()[:num_facts]
        override = len(plot) + 1 < num_facts and self.rng.random() < 0.2
        while len(plot) < num_facts - override:
            plot.insert(self.rng.randint(0, len(plot)), self._fact(choice, plot))
        if override:
            self._override(plot, choice)
        return Story(tuple(plot), self._questions(plot, num_questions, unknown_rate, choice))

    # -- words and sentences

    def _families(self, which: str | Sequence[Family]) -> tuple[Family, ...]:
        if not isinstance(which, str):
            return tuple(which)
        choices = {"train": TRAINED | PRACTISED}
        if self.split == "eval":
            choices = {"train": TRAINED, "heldout": HELD_OUT, "all": TRAINED | HELD_OUT}
        if which not in choices:
            raise ValueError(f"In the {self.split} split, families is {' or '.join(choices)}, not {which!r}.")
        return tuple(choices[which].values())

    def _templates(self, family: Family, group: str) -> tuple[str, ...]:
        templates = getattr(family, group)
        return paraphrases(templates, self.split) if family.split == "both" else templates

    def _word(self, slot: str, taken: set[str]) -> str:
        """Draw a word of the slot's kind that is not yet `taken` (if there is one left), and take it."""
        kind = slot_kind(slot)
        for _ in range(50):
            if self.extra_words and self.rng.random() < 0.5:
                word = self.rng.choice(self.extra_words)
                word = word.capitalize() if kind in PROPER else word
            else:
                word = self.rng.choice(pool(kind, self.split))
            if word.lower() not in taken:
                break
        taken.add(word.lower())
        return word

    def _draw(self, family: Family, taken: set[str], fixed: Slots = ()) -> tuple[Family, Slots]:
        given = dict(fixed)
        return family, tuple((slot, given.get(slot) or self._word(slot, taken)) for slot in family.slots)

    def _state(self, family: Family, slots: Slots, group: str = "statements") -> Statement:
        return Statement(family.name, slots, render(self.rng.choice(self._templates(family, group)), slots))

    # -- facts

    def _fact(self, choice: Sequence[Family], plot: list[Statement]) -> Statement:
        """A fact that does not clash with the plot, and in most cases resembles one of its facts."""
        while True:
            family, fixed = self.rng.choice(choice), ()
            if plot and self.rng.random() < 0.6:
                family, fixed = self._resemble(self.rng.choice(plot), choice)
            family, slots = self._draw(family, _words(plot), fixed)
            if not _clashes(family, slots, plot):
                return self._state(family, slots)

    def _resemble(self, model: Statement, choice: Sequence[Family]) -> tuple[Family, Slots]:
        """A family, and words to keep, for something easily confused with `model`."""
        family = FAMILIES[model.family]
        if family in choice and self.rng.random() < 0.5:  # the same relation, with at most one key in common
            shared = self.rng.choice(family.keys) if len(family.keys) > 1 else None
            return family, tuple(pair for pair in model.slots if pair[0] == shared)
        slot, word = self.rng.choice(model.slots)
        keys = [
            (other, key)
            for other in choice
            for key in other.keys
            if slot_kind(key) == slot_kind(slot) and other.topic != family.topic
        ]
        if not keys:
            return self.rng.choice(choice), ()
        other, key = self.rng.choice(keys)  # another relation of the same person or thing
        return other, ((key, word),)

    def _carry(self) -> list[Statement]:
        """Somebody takes a thing and goes somewhere, or the other way round; may put it down; may go on."""
        taken: set[str] = set()
        person, thing = self._word("person", taken), self._word("object", taken)
        holds = (("object", thing), ("person", person))

        def go(group: str) -> Statement:
            site = self._word("site", taken)
            return self._state(TRAINED["go"], (("person", person), ("site", site)), group)

        plot = [self._state(TRAINED["take"], holds), go("statements")]
        if self.rng.random() < 0.3:
            plot.reverse()
        if self.rng.random() < 0.5:
            plot.append(self._state(TRAINED["drop"], holds))
        if self.rng.random() < 0.6:
            plot.append(go("updates"))
        return plot

    def _override(self, plot: list[Statement], choice: Sequence[Family]) -> None:
        """Insert, behind some fact of the plot, one that replaces its value (if any of them can change)."""
        spots = [spot for spot, fact in enumerate(plot) if FAMILIES[fact.family].updates]
        if not spots:
            plot.append(self._fact(choice, plot))
            return
        spot = self.rng.choice(spots)
        family, slots = self._draw(FAMILIES[plot[spot].family], _words(plot), plot[spot].slots[:-1])
        plot.insert(self.rng.randint(spot + 1, len(plot)), self._state(family, slots, "updates"))

    # -- questions

    def _questions(
        self, plot: list[Statement], count: int, unknown_rate: float, choice: Sequence[Family]
    ) -> tuple[Question, ...]:
        """Ask about one fact after the other, in random order, with unknown ones in between."""
        facts = list({key_of(fact): fact for fact in plot}.values())
        self.rng.shuffle(facts)
        if self.rng.random() < 0.5:  # the rare kinds first, or a long story would seldom be asked about them
            facts.sort(key=lambda fact: fact.family != "take" and not _overrides(fact, plot))
        asked: list[Question] = []
        tries = 0
        while len(asked) < count:
            if self.rng.random() < unknown_rate:
                question = self._unknown(plot, choice)
            else:
                question = self._about(facts[(len(asked) + tries) % len(facts)], plot)
            fresh = question and question.text not in {other.text for other in asked}
            tries += not fresh
            if fresh or (question and tries > 20 * count):  # one fact, many questions: then repeat one
                asked.append(question)
        return tuple(asked)

    def _about(self, fact: Statement, plot: list[Statement]) -> Question | None:
        """A question this fact answers, or None if the one drawn has two answers."""
        if fact.family == "take" and self.rng.random() < 0.85:
            template = self.rng.choice(paraphrases(CARRIED, self.split))
            return self._ask(template, "carried", fact.slots, "two_hop", plot)
        inverse = FAMILIES[fact.family].inverse and self.rng.random() < 0.25
        kind = "inverse" if inverse else "override" if _overrides(fact, plot) else "single"
        templates = self._templates(FAMILIES[fact.family], "inverse" if inverse else "questions")
        return self._ask(self.rng.choice(templates), fact.family, fact.slots, kind, plot)

    def _unknown(self, plot: list[Statement], choice: Sequence[Family]) -> Question | None:
        """A question no fact answers; more often than not it resembles one that some fact does."""
        family, fixed = self.rng.choice(choice), ()
        if self.rng.random() < 0.65:
            family, fixed = self._resemble(self.rng.choice(plot), choice)
        family, slots = self._draw(family, _words(plot), fixed)
        group = "inverse" if family.inverse and self.rng.random() < 0.15 else "questions"
        template = self.rng.choice(self._templates(family, group))
        if _clashes(family, [pair for pair in slots if pair[0] in slots_of(template)], plot):
            return None
        question = self._ask(template, family.name, slots, UNKNOWN, plot)
        return question if question and question.answer == UNKNOWN else None

    def _ask(self, template: str, family: str, slots: Slots, kind: str, plot: list[Statement]) -> Question | None:
        mentioned = slots_of(template)
        known = tuple(pair for pair in slots if pair[0] in mentioned)
        ask = "site" if family == "carried" else next(slot for slot, _ in slots if slot not in mentioned)
        query = Query(family, known, ask)
        try:
            answer = oracle(plot, query)
        except ValueError:  # two facts fit
            return None
        return Question(render(template, known), answer, UNKNOWN if answer == UNKNOWN else kind, query)


def _words(plot: Iterable[Statement]) -> set[str]:
    return {word.lower() for fact in plot for _, word in fact.slots}


def _overrides(fact: Statement, plot: list[Statement]) -> bool:
    return sum(key_of(other) == key_of(fact) for other in plot) > 1


def _clashes(family: Family, slots: Iterable[tuple[str, str]], plot: list[Statement]) -> bool:
    """Whether the slots have all keys of a fact in the plot, or a word of another fact of the same topic."""
    slots = set(slots)
    keys = {pair for pair in slots if pair[0] in family.keys}
    for fact in plot:
        if fact.family == family.name:
            if len(keys) == len(family.keys) and keys <= set(fact.slots):
                return True
        elif FAMILIES[fact.family].topic == family.topic and {w for _, w in slots} & {w for _, w in fact.slots}:
            return True
    return False
