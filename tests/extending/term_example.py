"""A term that makes generated images as dark as `target` says."""

from infogan_bench.objective import Contribution, Pass, Term, register_term


@register_term(
    "darkness",
    title="Darkness",
    explanation="squared distance of the mean pixel of generated images from a target",
    options={"target": -0.8},
)
class Darkness(Term):
    def of_g(self, trunk_pass: Pass) -> list[Contribution]:
        value = (trunk_pass.step.fake.mean() - self.options["target"]).square()
        return [self.contribution(trunk_pass, value)]
