"""The one source of chance: everything that is generated follows from its seed."""
import random


class Dice(random.Random):
    """`wide`: whether also what people do not write on purpose is made (README.md)."""

    def __init__(self, seed, wide=False):
        super().__init__(seed)
        self.wide = wide

    def chance(self, percent) -> bool:
        return self.random() * 100 < percent

    def one_of(self, *choices):
        return self.choice(choices)

    def weighted(self, choices):
        """One of {choice: weight}."""
        return self.choices(list(choices), list(choices.values()))[0]

    def some(self, choices, most):
        """One to `most` of the choices, in their order."""
        count = self.randint(1, min(most, len(choices)))
        return [choices[at] for at in sorted(self.sample(range(len(choices)), count))]
