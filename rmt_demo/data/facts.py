"""Stories made of everyday facts, with questions that an oracle answers from the facts.

    StoryGenerator(split="train").story(num_facts=3, num_questions=2)

Facts are drawn so that they are easy to confuse: another person with the same kind of fact, or another fact about the
same person. In some stories a later fact overrides an earlier one, in some a person carries an object to another place,
and some questions cannot be answered from the story.
"""

from collections.abc import Iterable, Sequence
from random import Random

from ..questions import UNKNOWN
from .families import CARRIED, FAMILIES, HELD_OUT, PRACTISED, TRAINED, Family, paraphrases, slot_kind, slots_of
from .words import PROPER, pool, side
from .world import Query, Question, Slots, Statement, Story, key_of, oracle, render

MOST_FACTS = 20  # in a story: with many more, the evaluation split runs out of words


class StoryGenerator:
    """An endless, reproducible source of stories.

    Args:
        split: "train" or "eval": which words, and which paraphrases of the training families.
        seed: the same seed gives the same stories on every machine.
        extra_words: extra words, of which those in this split replace half of all slot words.

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
        rng: Random | None = None,
    ) -> Story:
        """Draw one story.

        Args:
            num_facts: number of sentences, 1 to 20; an override and each step of a carried object count as one.
            num_questions: number of questions, about different facts as far as possible; 0 for none.
            unknown_rate: share of the questions that the story does not answer.
            families: "train"; in the evaluation split also "heldout" (families never trained on) or "all"; or your own
                families (see `families.own`).
            rng: source of randomness for this story; by default the generator's own.

        Raises:
            ValueError: for a number out of range, or held-out families asked of the training split.
        """
        if not 1 <= num_facts <= MOST_FACTS:
            raise ValueError(f"A story has 1 to {MOST_FACTS} facts, not {num_facts}.")
        if num_questions < 0 or not 0 <= unknown_rate <= 1:
            raise ValueError("Ask for zero or more questions and an unknown_rate between 0 and 1.")
        plot = _Plot(rng or self.rng, self.split, self.extra_words, self._families(families))
        plot.draw_facts(num_facts)
        return Story(tuple(plot.facts), plot.questions(num_questions, unknown_rate))

    def _families(self, which: str | Sequence[Family]) -> tuple[Family, ...]:
        if not isinstance(which, str):
            return tuple(which)
        choices = {"train": TRAINED | PRACTISED}
        if self.split == "eval":
            choices = {"train": TRAINED, "heldout": HELD_OUT, "all": TRAINED | HELD_OUT}
        if which not in choices:
            raise ValueError(f"In the {self.split} split, families is {' or '.join(choices)}, not {which!r}.")
        return tuple(choices[which].values())


class _Plot:
    """The facts of one story while they are drawn, and the questions about them."""

    def __init__(self, rng: Random, split: str, extra_words: Sequence[str], families: tuple[Family, ...]) -> None:
        self.rng, self.split, self.extra_words, self.families = rng, split, extra_words, families
        self.facts: list[Statement] = []

    def _templates(self, family: Family, group: str) -> tuple[str, ...]:
        templates = getattr(family, group)
        return paraphrases(templates, self.split) if family.split == "both" else templates

    def _word(self, slot: str, taken: set[str]) -> str:
        """Draw a word of the slot's kind that is not in `taken` (if one is found in 50 tries), and add it there."""
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

    def _fill(self, family: Family, fixed: Slots) -> Slots:
        """The slots of a family: the `fixed` ones as they are, the others with words that no fact has yet."""
        given, taken = dict(fixed), {word.lower() for fact in self.facts for _, word in fact.slots}
        return tuple((slot, given.get(slot) or self._word(slot, taken)) for slot in family.slots)

    def _state(self, family: Family, slots: Slots, group: str = "statements") -> Statement:
        return Statement(family.name, slots, render(self.rng.choice(self._templates(family, group)), slots))

    def draw_facts(self, count: int) -> None:
        """Draw all facts of the story."""
        if TRAINED["take"] in self.families and count > 1 and self.rng.random() < 0.11:
            self.facts = self._carry()[:count]
        override = len(self.facts) + 1 < count and self.rng.random() < 0.2
        while len(self.facts) < count - override:
            self.facts.insert(self.rng.randint(0, len(self.facts)), self._fact())
        if override:
            self._override()

    def _fact(self) -> Statement:
        """A fact that clashes with no other, and in most cases resembles one of them."""
        while True:
            family, fixed = self.rng.choice(self.families), ()
            if self.facts and self.rng.random() < 0.6:
                family, fixed = self._resemble(self.rng.choice(self.facts))
            slots = self._fill(family, fixed)
            if not self._clashes(family, slots):
                return self._state(family, slots)

    def _resemble(self, model: Statement) -> tuple[Family, Slots]:
        """A family, and words to keep, for a fact that is easily confused with `model`."""
        family = FAMILIES[model.family]
        if family in self.families and self.rng.random() < 0.5:  # the same relation, with at most one key in common
            shared = self.rng.choice(family.keys) if len(family.keys) > 1 else None
            return family, tuple(pair for pair in model.slots if pair[0] == shared)
        slot, word = self.rng.choice(model.slots)
        keys = [
            (other, key)
            for other in self.families
            for key in other.keys
            if slot_kind(key) == slot_kind(slot) and other.topic != family.topic
        ]
        if not keys:
            return self.rng.choice(self.families), ()
        other, key = self.rng.choice(keys)  # another relation of the same person or object
        return other, ((key, word),)

    def _clashes(self, family: Family, slots: Iterable[tuple[str, str]]) -> bool:
        """Whether a fact has all of these keys, or one of another family with the same topic shares a word."""
        slots = set(slots)
        keys = {pair for pair in slots if pair[0] in family.keys}
        for fact in self.facts:
            if fact.family == family.name:
                if len(keys) == len(family.keys) and keys <= set(fact.slots):
                    return True
            elif FAMILIES[fact.family].topic == family.topic and {w for _, w in slots} & {w for _, w in fact.slots}:
                return True
        return False

    def _carry(self) -> list[Statement]:
        """A person takes an object and goes somewhere, or the reverse; may put it down; may go on."""
        taken: set[str] = set()
        person, thing = self._word("person", taken), self._word("object", taken)
        holds = (("object", thing), ("person", person))

        def go(group: str) -> Statement:
            site = self._word("site", taken)
            return self._state(TRAINED["go"], (("person", person), ("site", site)), group)

        facts = [self._state(TRAINED["take"], holds), go("statements")]
        if self.rng.random() < 0.3:
            facts.reverse()
        if self.rng.random() < 0.5:
            facts.append(self._state(TRAINED["drop"], holds))
        if self.rng.random() < 0.6:
            facts.append(go("updates"))
        return facts

    def _override(self) -> None:
        """Insert a fact that replaces the value of an earlier one (any other fact if none can be updated)."""
        spots = [spot for spot, fact in enumerate(self.facts) if FAMILIES[fact.family].updates]
        if not spots:
            self.facts.append(self._fact())
            return
        spot = self.rng.choice(spots)
        family = FAMILIES[self.facts[spot].family]
        slots = self._fill(family, self.facts[spot].slots[:-1])
        self.facts.insert(self.rng.randint(spot + 1, len(self.facts)), self._state(family, slots, "updates"))

    def questions(self, count: int, unknown_rate: float) -> tuple[Question, ...]:
        """Ask about one fact after the other, in random order, with unanswerable questions in between."""
        facts = list({key_of(fact): fact for fact in self.facts}.values())
        self.rng.shuffle(facts)
        if self.rng.random() < 0.5:  # rare kinds first: in long stories they would seldom be asked about otherwise
            facts.sort(key=lambda fact: fact.family != "take" and not self._overrides(fact))
        asked: list[Question] = []
        tries = 0
        while len(asked) < count:
            if self.rng.random() < unknown_rate:
                question = self._unknown()
            else:
                question = self._about(facts[(len(asked) + tries) % len(facts)])
            fresh = question and question.text not in {other.text for other in asked}
            tries += not fresh
            if fresh or (question and tries > 20 * count):  # many questions about few facts: allow repetition
                asked.append(question)
        return tuple(asked)

    def _overrides(self, fact: Statement) -> bool:
        return sum(key_of(other) == key_of(fact) for other in self.facts) > 1

    def _about(self, fact: Statement) -> Question | None:
        """A question that this fact answers, or None if the one drawn has two answers."""
        if fact.family == "take" and self.rng.random() < 0.85:
            template = self.rng.choice(paraphrases(CARRIED, self.split))
            return self._ask(template, "carried", fact.slots, "two_hop")
        inverse = FAMILIES[fact.family].inverse and self.rng.random() < 0.25
        kind = "inverse" if inverse else "override" if self._overrides(fact) else "single"
        templates = self._templates(FAMILIES[fact.family], "inverse" if inverse else "questions")
        return self._ask(self.rng.choice(templates), fact.family, fact.slots, kind)

    def _unknown(self) -> Question | None:
        """A question that no fact answers, mostly similar to an answerable one; None if the one drawn has an answer."""
        family, fixed = self.rng.choice(self.families), ()
        if self.rng.random() < 0.65:
            family, fixed = self._resemble(self.rng.choice(self.facts))
        slots = self._fill(family, fixed)
        group = "inverse" if family.inverse and self.rng.random() < 0.15 else "questions"
        template = self.rng.choice(self._templates(family, group))
        if self._clashes(family, [pair for pair in slots if pair[0] in slots_of(template)]):
            return None
        question = self._ask(template, family.name, slots, UNKNOWN)
        return question if question and question.answer == UNKNOWN else None

    def _ask(self, template: str, family: str, slots: Slots, kind: str) -> Question | None:
        mentioned = slots_of(template)
        known = tuple(pair for pair in slots if pair[0] in mentioned)
        ask = "site" if family == "carried" else next(slot for slot, _ in slots if slot not in mentioned)
        query = Query(family, known, ask)
        try:
            answer = oracle(self.facts, query)
        except ValueError:  # two facts fit
            return None
        return Question(render(template, known), answer, UNKNOWN if answer == UNKNOWN else kind, query)
