"""A term of one's own: generated images are to be as dark as given."""

from infogan_bench.objective import Contribution, Pass, Term, register_term


@register_term(
    "darkness",
    title="Darkness",
    explanation="squared distance of the mean pixel of generated images from a target",
    options={"target": -0.8},
)
class Darkness(Term):
    """(mean pixel - target)^2, which G descends."""

    def of_g(self, seen: Pass) -> list[Contribution]:
        """The squared distance, with the term's weight."""
        value = (seen.step.fake.mean() - self.options["target"]).square()
        return [self.contribution(seen, value)]
