"""Input that nobody should send, and what the answer has to mention: (name, arguments of read_and_ask, words of it).

No words: it is odd but harmless, and gets an answer. Used through the functions, the network and the page.
"""

KEY = [["The key is in the kitchen.", 0.5]]
WHERE = ["Where is the key?"]
PLAIN = "the lord went to the river and the lamp was in the hallway. " * 20


def _case(name: str, sentence: str = "", **arguments) -> tuple[str, dict, str]:
    return name, {"text": PLAIN, "facts": KEY, "questions": WHERE, "length": 200} | arguments, sentence


SCRIPT = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
TEMPLATE = "${window.hacked = 1} {{window.hacked = 1}} {{#each value}}x{{/each}} %s {0} #{x}"

CASES = [
    _case("a script as a fact", facts=[["<b onclick=alert(1)>", 0.5]]),
    _case("a script as a question", questions=["<script>x</script>"]),
    _case("a script as the text", text=SCRIPT * 20),
    _case("templates as a fact", facts=[["${x} {{x}}", 0.5]]),
    _case("templates as a question", questions=["${x} {{x}} %s"]),
    _case("templates as the text", text=(TEMPLATE + " and so on. ") * 20),
    _case("special tokens as a fact", facts=[["[MASK] [SEP] [CLS]", 0.5]]),
    _case("special tokens as a question", questions=["[MASK][MASK][PAD]?"]),
    _case("quotes and SQL", questions=["'; DROP TABLE facts; --"]),
    _case("emoji", facts=[["🐈 sat on 🧑‍🚀.", 0.5]], questions=["Where is 🐈?"]),
    _case("right-to-left text", text="هذا نص عربي طويل. " * 40, facts=[["המפתח במטבח.", 0.5]]),
    _case("direction overrides", questions=["\u202ewhere is the key\u202c?"]),
    _case("accents on accents", questions=["Z" + "\u0301" * 60 + "?"]),
    _case("Chinese without spaces", "", text="主说这是一个很长的故事。 那人 走到 了 花园。 " * 30),
    _case("control characters", "binary", text="\x01\x02\x03 the lord\x04 went\x05. " * 40),
    _case("NUL bytes", "binary", text="\0\0\0\0 the lord went home. " * 40),
    _case("half of a character", questions=["Where is \ud83d?"]),
    _case("one word of a million letters", "without a space", text="a b c. " + "x" * 900_000),
    _case("a paste of 5 MB", "characters", text="word. " * 900_000),
    _case("only spaces", "no sentence", text=" \n\t " * 100),
    _case("only dots", "no sentence", text=". . . . " * 100),
    _case("a length of 0", "one segment", length=0),
    _case("a negative length", "one segment", length=-20_000),
    _case("a huge length", "10,000,000", length=10**30),
    _case("a length with words", "whole number", length="many"),
    _case("an endless length", "whole number", length=float("inf")),
    _case("a length that is no number", "whole number", length=float("nan")),
    _case("no length", "whole number", length=None),
    _case("ten thousand facts", "10,000 facts", facts=KEY * 10_000),
    _case("a fact longer than a segment", "shorten", facts=[["the key is in the kitchen and " * 50, 0.5]]),
    _case("a position above 1", "position", facts=[["The key.", 1.0001]]),
    _case("a position below 0", "position", facts=[["The key.", -1e-9]]),
    _case("a position that is no number", "position", facts=[["The key.", "nan"]]),
    _case("a position that is a list", "position", facts=[["The key.", [0.5]]]),
    _case("a fact without a position", "pair", facts=[["The key."]]),
    _case("facts that are a word", "pair", facts="kitchen"),
    _case("facts that are a number", "pairs", facts=7),
    _case("facts that are a dictionary", "pairs", facts={"fact": 0.5}),
    _case("a fact that is an object", "", facts=[[{"a": 1}, 0.5]]),
    _case("facts that fill more than the text", "longer", facts=[["The key is in the kitchen.", 0.5]] * 90),
    _case("no question", "at least one question", questions=[]),
    _case("an empty question", "at least one question", questions=["  "]),
    _case("a question that is a number", "at least one question", questions=[5]),
    _case("questions that are a word", "at least one question", questions="Where?"),
    _case("a hundred and one questions", "ask fewer", questions=WHERE * 101),
    _case("a question longer than a segment", "shorter", questions=["where is the key " * 500]),
]
