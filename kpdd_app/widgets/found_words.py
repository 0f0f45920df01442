"""Where the words of a search stand in a text that is shown."""

from __future__ import annotations

import re

MOST = 500  # places that are looked for; a text of 100 kB may hold thousands


def found_words(search: str, text: str) -> list[tuple[int, int]]:
    """Return (start, end) of the words of a search in a text, as the search itself finds them.

    Words are found whole and in any case; the last one also as the beginning of a longer word, as long as
    no space was typed behind it.

    >>> found_words("jar shelf", "A shelf with 3 jars, a Jar.")
    [(2, 7), (23, 26)]
    >>> found_words("sh", "A shelf.")
    [(2, 4)]
    """
    words = [word for word in search.split() if re.search(r"[^\W_]", word)]
    if not words:
        return []
    parts = [re.escape(word) + r"(?!\w)" for word in words[:-1]]
    parts.append(re.escape(words[-1]) + (r"(?!\w)" if search[-1].isspace() else ""))
    # what begins with a sign has no letter that could join it to the word before
    pattern = "|".join((r"(?<!\w)" if re.match(r"\w", word) else "") + part
                       for word, part in zip(words, parts, strict=True))  # fmt: skip
    places = []
    for match in re.finditer(pattern, text, re.IGNORECASE):
        places.append(match.span())
        if len(places) == MOST:
            break
    return places
