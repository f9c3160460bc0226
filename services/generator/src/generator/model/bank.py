"""The bank as the generator knows it: who has which account, with how much on it. No I/O."""

from random import Random

from generator.model.actions import Person
from generator.model.outcomes import Account, KnownState


class Roster:
    """A set of ids with a fair random choice in constant time, whose order depends on its history alone."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._index: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, identity: int) -> None:
        """Put an id in; one that is there already stays where it is."""
        if identity not in self._index:
            self._index[identity] = len(self._ids)
            self._ids.append(identity)

    def discard(self, identity: int) -> None:
        """Take an id out, if it is there: the last one moves to its index."""
        index = self._index.pop(identity, None)
        if index is None:
            return
        last = self._ids.pop()
        if last != identity:
            self._ids[index] = last
            self._index[last] = index

    def choose(self, random: Random) -> int:
        """Choose an id at random. There must be one."""
        return self._ids[random.randrange(len(self._ids))]


class Bank:
    """Customers, accounts and balances, as far as the database has told. It never guesses: see `learn`."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.customers: dict[int, Person] = {}
        self.accounts: dict[int, Account] = {}
        self._accounts_of: dict[int, list[int]] = {}
        self._emails: set[str] = set()
        self._customer_roster = Roster()
        self._account_roster = Roster()

    def replace(self, state: KnownState) -> None:
        """Forget everything and start from what the database holds now."""
        self._begin()
        self.learn(state)

    def learn(self, state: KnownState) -> None:
        """Take over what the database holds. The state of a row may come again."""
        for email in state.taken_emails:
            self._emails.add(email)
        for identity in state.gone_accounts:
            self._forget_account(identity)
        for identity in state.gone_customers:
            for account_id in self.accounts_of(identity):
                self._forget_account(account_id)
            person = self.customers.pop(identity, None)
            if person is not None:
                self._emails.discard(person.email)
            self._accounts_of.pop(identity, None)
            self._customer_roster.discard(identity)
        for identity, person in state.customers.items():
            known = self.customers.get(identity)
            if known is not None:
                self._emails.discard(known.email)
            self.customers[identity] = person
            self._emails.add(person.email)
            self._customer_roster.add(identity)
        for identity, account in state.accounts.items():
            if identity not in self.accounts:
                self._accounts_of.setdefault(account.customer_id, []).append(identity)
                self._account_roster.add(identity)
            self.accounts[identity] = account

    def _forget_account(self, identity: int) -> None:
        account = self.accounts.pop(identity, None)
        if account is not None:
            self._accounts_of[account.customer_id].remove(identity)
            self._account_roster.discard(identity)

    def accounts_of(self, customer_id: int) -> tuple[int, ...]:
        """A customer's accounts, oldest first."""
        return tuple(self._accounts_of.get(customer_id, ()))

    def email_is_free(self, email: str) -> bool:
        """Tell whether no known customer has it."""
        return email not in self._emails

    def choose_customer(self, random: Random) -> int:
        """Choose a customer at random; there must be one."""
        return self._customer_roster.choose(random)

    def choose_account(self, random: Random) -> int:
        """Choose an account at random; there must be one."""
        return self._account_roster.choose(random)
