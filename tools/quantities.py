"""Read quantities: those that a sentence states, in digits or in words, and those that outputs, code and LaTeX hold."""

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

# fmt: off
SMALL = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty")
COUNTS = {word: float(number) for number, word in enumerate(SMALL.split(), 1)} | {
    "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "hundred": 100.0, "thousand": 1000.0}
PARTS = {
    "half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "sixth": 1 / 6, "seventh": 1 / 7, "eighth": 1 / 8,
    "ninth": 1 / 9, "tenth": 1 / 10, "twentieth": 1 / 20, "hundredth": 1 / 100, "thousandth": 1 / 1000}
# fmt: on
DIGITS = r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?!\d|\.\d)"
WORD, PART = "|".join(COUNTS), "|".join(PARTS)
COUNT = rf"(?:{DIGITS}|\b(?:a |(?:{WORD}) )?(?:{WORD})\b)"
UNIT = (
    r"(?:%|(?:per cent|percentage points?|seconds?|ms|minutes?|hours?|nats?|bits?|[kMG]i?B|fold"
    r"|orders of magnitude|times (?:as|more|less|the|that|those|\w+er))\b)"
)
ROUNDED = r"\b(?:about|some|nearly|almost|around|roughly|over|than|close to|near|up to|at least|at most|good|within)"
MOVED = r"\b(?:by|than|within|worth|costs?|gains?|loses?|lost|gained|pays?|behind|ahead)"
AND, OF = r"(?: (?:to|and|or|against) |, )", r"(?:times )?(?:of|in|out of) (?:the |our |all )?"
# Each form finds the numbers of one way to state a measurement.
FORMS = (
    rf"({COUNT}){AND}(?=(?:{COUNT}{AND})*{COUNT}[ -]?{UNIT})",
    rf"({COUNT})[ -]?{UNIT}",
    r"(?<![\w.,])(\d+\.\d+)(?![\w.]\w)",
    rf"{ROUNDED} (?=\d[\d,])({DIGITS})",
    rf"{MOVED} (?:[a-z]+ ){{0,2}}?({COUNT}){AND}(?={COUNT} points?\b)",
    rf"{MOVED} (?:[a-z]+ ){{0,2}}?(?:{COUNT}{AND})?({COUNT}) points?\b",
    rf"\bfactors? of (?:[a-z]+ ){{0,2}}?({COUNT})",
    rf"(?!one of)({COUNT}) {OF}(?={COUNT})",
    rf"(?!one of){COUNT} {OF}({COUNT})",
    r"\b(twice(?= (?:as|the|that|its|those|what)\b)|doubles?(?! (?:sum|softmax|descent)))",
    r"(?<!first )(?<!second )(?<!other )(?<!left )(?<!right )\b(half(?= (?:of|as|the|an?)\b)|(?:one|an?|by) half\b)",
    rf"\b((?:an?|{WORD}) (?:{PART})s?)(?= (?:of|per|to|and|or|as|below|above|less|more)\b|[,.;:)]|$)",
)


class Quantity(NamedTuple):
    """A number as it is written, its value, how far off what is meant by it may be, and whether it is in per cent."""

    written: str
    value: float
    tolerance: float
    percent: bool = False

    def distance(self, pool: Iterable[float]) -> float:
        """Return how far off the nearest of some numbers is, whatever their signs; infinity if there is none."""
        scales = (1, 100) if self.percent else (1,)
        return min((abs(scale * abs(n) - self.value) for n in pool for scale in scales), default=math.inf)

    def occurs(self, pool: Iterable[float]) -> bool:
        """Say whether it stands among some numbers, as exactly as it is written."""
        return self.distance(pool) <= self.tolerance


def measured(text: str) -> list[Quantity]:
    """Return the quantities of a text that look measured; settings such as "five seeds" do not."""
    found = {}
    for match in (match for form in FORMS for match in re.finditer(form, text, re.IGNORECASE)):
        written = match[1].lower()
        if written[0].isdigit():
            value = float(written.replace(",", ""))
            rounded = re.search(rf"{ROUNDED}(?: an?)? $", text[: match.start(1)], re.IGNORECASE)
            tolerance = max(0.51 * 10 ** -len(written.partition(".")[2]), 0.15 * value if rounded else 0)
        else:
            value = 2.0 if re.match("twice|double", written) else 1.0
            for word in written.split():
                value *= COUNTS.get(word) or PARTS.get(word) or PARTS.get(word.rstrip("s")) or 1
            tolerance = min(0.5, 0.13 * value) if value <= 20 else 0.13 * value
        percent = re.match(rf"(?:{AND}{COUNT})*[ -]?(?:%|per cent|percentage|points?)", text[match.end(1) :])
        found[match.start(1)] = Quantity(written, value, tolerance, bool(percent))
    return [found[place] for place in sorted(found)]


def numbers(text: str) -> list[float]:
    """Return the numbers of outputs, code or LaTeX, per cent also as a share, and fractions and powers of two."""
    text = re.sub(r"(?<=\d)_(?=\d)|\\,", "", text).replace("{,}", ",")
    found = []
    for number, percent in re.findall(rf"({DIGITS})(\s?\\?%?)", text):
        value = float(number.replace(",", ""))
        found += [value, value / 100] if "%" in percent else [value]
    fractions = re.findall(r"frac\{?(\d+)\}?\{?(\d+)", text) + re.findall(r"(\d+) */ *(\d+)", text)
    powers = re.findall(r"\b([1-9]\d*)\^\{?(-?\d\d?)\b", text)
    found += [float(above) / float(below) for above, below in fractions if float(below)]
    return found + [float(base) ** float(exponent) for base, exponent in powers]
