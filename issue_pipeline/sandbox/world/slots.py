"""The ``{slots}`` that content may leave open, and what fills them."""

import random
import re

_SLOT = re.compile(r"\{([^{}]*)\}")

_WORDS: dict[str, tuple[str, ...]] = {
    "city": (
        "Rotterdam", "Leeds", "Porto", "Kraków", "Tampa", "Nagoya", "Bengaluru", "São Paulo",
        "Malmö", "Graz", "Tucson", "Montréal", "Gdańsk", "Lyon", "Accra", "Busan", "Perth",
        "Nairobi", "Trieste", "Halifax",
    ),
    "company": (
        "Brackwater Ltd", "Oriel & Finch", "Nordhaven", "Tessellate Foods", "Quillstone",
        "Marlow Freight", "Juniper Row", "Halcyon Dental", "Vantry", "Pellworm GmbH",
        "Copperleaf Tools", "Saltmarsh Co-op", "Ferrous & Sons", "Lumenfield", "Ostrava Parts",
        "Greenquay", "Blue Heron Supply", "Kestrel Mutual", "Tidemark", "Aldergrove Clinics",
    ),
    "os": (
        "Windows 11", "Windows Server 2022", "Ubuntu 24.04", "Debian 12", "macOS 15",
        "Fedora 42", "Android 15", "iOS 18", "Alpine 3.21", "RHEL 9", "ChromeOS", "NixOS",
    ),
    "browser": ("Firefox", "Chrome", "Safari", "Edge", "Brave", "Vivaldi", "Opera"),
    "language": (
        "Python", "Go", "Java", "TypeScript", "C#", "Rust", "PHP", "Ruby", "Kotlin", "Elixir",
        "Scala", "Swift",
    ),
    "month": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
    "person": (
        "Marisol", "Tomasz", "Aoife", "Deepak", "Ingrid", "Kwame", "Yuki", "Anneke", "Rashid",
        "Zoë", "Benedikt", "Chiara", "Oluwaseun", "Priya", "Mateo", "Sanne", "Halima", "Jörg",
        "Linh", "Petra",
    ),
}  # fmt: skip
"""Slots whose value stays the same throughout one post: a person writes about one place."""

_CURRENCIES = ("$", "$", "€", "£")

_NUMBERS = frozenset({"version", "n", "small", "percent", "hours", "amount"})

SLOTS: frozenset[str] = frozenset(_WORDS) | _NUMBERS
"""Every slot that content may use."""


def slots_of(text: str) -> set[str]:
    """Return whatever stands between single braces in the text, known slot or not."""
    return set(_SLOT.findall(text))


class SlotFiller:
    """Fills the slots of one post.

    Words (a city, a company, a month) and the version are chosen once for the post; numbers are
    drawn anew each time, because two numbers of one report are rarely equal.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._chosen: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """Return the text with every slot replaced.

        Raises:
            KeyError: The text has a slot that is not in ``SLOTS`` (content is checked on loading).
        """
        return _SLOT.sub(lambda match: self.value(match.group(1)), text)

    def value(self, slot: str) -> str:
        """Return a value for one slot of ``SLOTS``."""
        if slot in _WORDS or slot == "version":
            if slot not in self._chosen:
                self._chosen[slot] = self._word(slot)
            return self._chosen[slot]
        return self._number(slot)

    def _word(self, slot: str) -> str:
        if slot == "version":
            rng = self._rng
            return f"{rng.randint(1, 14)}.{rng.randint(0, 24)}.{rng.randint(0, 19)}"
        return self._rng.choice(_WORDS[slot])

    def _number(self, slot: str) -> str:
        rng = self._rng
        match slot:
            case "n":
                return str(
                    round(10 ** rng.uniform(1.3, 3.7))
                )  # mostly small, now and then thousands
            case "small":
                return str(rng.randint(2, 12))
            case "percent":
                return str(rng.randint(3, 95))
            case "hours":
                return str(rng.randint(2, 72))
            case "amount":
                return f"{rng.choice(_CURRENCIES)}{rng.randint(4, 960) * 25:,}"
            case _:
                raise KeyError(f"unknown slot {{{slot}}}; known are {', '.join(sorted(SLOTS))}")
