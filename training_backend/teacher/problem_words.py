"""Words of the sample problems: people, things by class, places, and facts that do not matter."""

from __future__ import annotations

# Opposite genders keep "he" and "she" clear where two people meet in one problem.
WOMEN = ("Anna", "Maria", "Lena", "Sara", "Emma", "Nora", "Julia", "Clara", "Mia", "Ruth", "Alice", "Grace")
MEN = ("Tom", "Ben", "Paul", "Lukas", "David", "Omar", "Felix", "Jonas", "Peter", "Samuel", "Leo", "Max")

_ES = ("s", "x", "ch", "sh", "to")
_IRREGULAR = {"daisy": "daisies", "lily": "lilies", "scarf": "scarves", "loaf": "loaves"}


def plural(noun: str) -> str:
    """Return the plural of one of the nouns below."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    return noun + ("es" if noun.endswith(_ES) else "s")


def article(noun: str) -> str:
    """Return `a` or `an` as it stands before a noun.

    >>> article("apple"), article("muffin"), article("hour")
    ('an', 'a', 'an')
    """
    return "an" if noun[0] in "aeiou" or noun == "hour" else "a"


# Countable things, in the singular.
NOUNS: dict[str, tuple[str, ...]] = {
    "BAKED": ("muffin", "cookie", "roll", "bagel", "pretzel", "pie", "waffle", "cupcake"),
    "FRUIT": ("apple", "pear", "orange", "plum", "peach", "lemon", "mango", "melon"),
    "VEGETABLE": ("carrot", "potato", "onion", "cucumber", "tomato", "pepper"),
    "SMALL": ("marble", "sticker", "stamp", "coin", "shell", "bead", "button", "postcard"),
    "SUPPLY": ("pencil", "pen", "notebook", "eraser", "marker", "folder", "crayon", "ruler"),
    "FLOWER": ("rose", "tulip", "daisy", "lily", "sunflower", "orchid"),
    "CLOTHING": ("shirt", "scarf", "hat", "sweater", "jacket", "cap", "dress"),
    "READING": ("book", "comic", "magazine", "novel"),
    "BIRD": ("hen", "duck", "turkey", "chicken"),
    "ANIMAL": ("cow", "goat", "horse", "donkey", "pig"),
    "TREE": ("oak", "pine", "maple", "birch", "elm"),
    "PET": ("cat", "dog", "rabbit", "hamster", "parrot"),
    "TOY": ("doll", "kite", "puzzle", "robot", "drum", "ball", "yoyo"),
    "FURNITURE": ("chair", "table", "desk", "bench", "stool"),
    "PART": ("bolt", "screw", "hinge", "spring", "gear", "valve"),
    "GUEST": ("guest", "friend", "neighbor", "cousin"),
    "CRAFT": ("necklace", "bracelet", "lantern", "basket", "candle", "vase"),
    "GADGET": ("lamp", "clock", "radio", "phone", "camera", "printer"),
}

# Words used as they stand: things that cannot be counted, and places.
WORDS: dict[str, tuple[str, ...]] = {
    "DRINK": ("juice", "water", "milk", "lemonade", "tea"),
    "GROCERY": ("rice", "flour", "sugar", "salt", "coffee"),
    "SHOP": ("bakery", "market", "supermarket", "kiosk", "toy shop", "flower shop"),
    "HALL": ("theater", "cinema", "museum", "zoo", "circus"),
    "TOWN": ("Hilltop", "Riverton", "Oakville", "Lakeside", "Westfield", "Brookdale"),
    "DAY": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "SPORT": ("soccer", "basketball", "handball", "hockey"),
    "TEAM_SPORT": ("soccer", "handball", "hockey"),
    "SUBJECT": ("math", "history", "science", "music", "art"),
    "COLOR": ("red", "blue", "green", "yellow", "white"),
}

# Facts that a solution does not need, by scene. `{x:lo..hi}` is a number; `{A}` needs a person.
DISTRACTORS: dict[str, tuple[str, ...]] = {
    "kitchen": (
        "The oven is {x:2..15} years old.",
        "The kitchen has {x:2..6} windows.",
        "The recipe is {x:12..90} years old.",
        "{A} is {x:16..70} years old.",
        "{A} starts at {x:5..9} o'clock.",
        "The kitchen clock is {x:2..9} minutes slow.",
    ),
    "garden": (
        "The garden gate is {x:2..20} years old.",
        "The shed has {x:2..6} windows.",
        "It rains on {x:4..18} days this month.",
        "{A} is {x:11..80} years old.",
        "A cat sleeps there for {x:2..9} hours.",
    ),
    "home": (
        "{A} is {x:8..60} years old.",
        "The house is {x:11..90} years old.",
        "The house has {x:2..12} windows.",
        "{A} wakes up at {x:5..9} o'clock.",
        "The street has {x:12..80} houses.",
    ),
    "shop": (
        "The shop opens at {x:6..10} o'clock.",
        "The shop is {x:4..90} years old.",
        "The shop has {x:2..9} windows.",
        "The walk to the shop takes {x:4..45} minutes.",
        "There are {x:4..30} people in the shop.",
    ),
    "school": (
        "The school has {x:12..40} classrooms.",
        "The school is {x:11..90} years old.",
        "The first lesson starts at {x:7..10} o'clock.",
        "The walk to the school takes {x:4..45} minutes.",
        "The teacher is {x:24..64} years old.",
    ),
    "library": (
        "The library opens at {x:7..11} o'clock.",
        "The library is {x:11..90} years old.",
        "The reading room has {x:2..12} windows.",
        "The library is {x:2..9} kilometers from the station.",
    ),
    "travel": (
        "The trip starts at {x:5..11} o'clock.",
        "The map is {x:2..20} years old.",
        "It is {x:11..34} degrees outside.",
        "The radio plays {x:4..40} songs on the way.",
        "{A} is {x:19..70} years old.",
    ),
    "sport": (
        "The coach is {x:24..64} years old.",
        "The stadium is {x:11..90} years old.",
        "It is {x:11..34} degrees outside.",
        "The training starts at {x:6..11} o'clock.",
        "The club has {x:12..90} members.",
    ),
    "farm": (
        "The barn is {x:11..90} years old.",
        "The farm is {x:4..30} kilometers from the town.",
        "{A} gets up at {x:4..7} o'clock.",
        "The tractor is {x:2..20} years old.",
        "The farm dog is {x:2..9} years old.",
    ),
    "work": (
        "The factory is {x:11..90} years old.",
        "The first shift starts at {x:5..9} o'clock.",
        "The building has {x:2..9} floors.",
        "The company is {x:11..90} years old.",
        "The parking lot has {x:12..90} spaces.",
    ),
    "money": (
        "{A} is {x:8..60} years old.",
        "The bank opens at {x:7..10} o'clock.",
        "The bus to the bank takes {x:4..40} minutes.",
        "{A} has {x:2..6} cousins.",
    ),
    "show": (
        "The show starts at {x:4..9} o'clock.",
        "The building is {x:11..90} years old.",
        "The show lasts {x:45..120} minutes.",
        "There are {x:2..9} exits.",
    ),
}
