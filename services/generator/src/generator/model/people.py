"""Invented people, from Faker: the same seed gives the same people in the same order."""

import unicodedata
from collections.abc import Callable
from random import Random
from typing import Final

from faker import Faker

from generator.model.actions import Person

# Names beyond ASCII are the rule in a real bank; Japanese ones leave nothing of an ASCII address.
LOCALES: Final = ("en_US", "de_DE", "fr_FR", "pl_PL", "ja_JP")
_WEIGHTS: Final = (6, 2, 2, 1, 1)


class People:
    """A source of people whose email nobody has yet."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable test data, not a secret
        self._fakers = [Faker(locale, use_weighting=False) for locale in LOCALES]
        for number, faker in enumerate(self._fakers):
            faker.seed_instance(seed * len(LOCALES) + number)

    def person(self, is_free: Callable[[str], bool]) -> Person:
        """Somebody new. `is_free` says whether an email may be used."""
        faker = self._random.choices(self._fakers, _WEIGHTS)[0]
        first_name, last_name = faker.first_name(), faker.last_name()
        return Person(first_name, last_name, free_email(first_name, last_name, is_free))

    def renamed(self, person: Person, is_free: Callable[[str], bool]) -> Person:
        """Give the person another last name (half the time with the email that goes with it)."""
        faker = self._random.choices(self._fakers, _WEIGHTS)[0]
        last_name = faker.last_name()
        while last_name == person.last_name:
            last_name = faker.last_name()
        keeps_email = self._random.random() < 0.5
        email = person.email if keeps_email else free_email(person.first_name, last_name, is_free)
        return Person(person.first_name, last_name, email)


def free_email(first_name: str, last_name: str, is_free: Callable[[str], bool]) -> str:
    """An address below example.com (nobody's, RFC 2606): the names, and a number where the address is taken."""
    local_part = ".".join(part for part in (_ascii(first_name), _ascii(last_name)) if part) or "customer"
    email, number = f"{local_part}@example.com", 1
    while not is_free(email):
        number += 1
        email = f"{local_part}.{number}@example.com"
    return email


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain.lower() if letter.isalnum())
