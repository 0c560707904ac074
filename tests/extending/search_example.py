"""A search of one's own: after the first trials, values near those of the best one so far."""

from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, RandomSampler

from infogan_bench.sweep.search import Search, register_search


class NearTheBest(BaseSampler):
    def __init__(self, seed: int, random_trials: int) -> None:
        self._random, self._random_trials = RandomSampler(seed=seed), random_trials

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        return {}

    def sample_independent(self, study, trial, name, distribution):
        drawn = self._random.sample_independent(study, trial, name, distribution)
        ended = [t for t in study.get_trials(deepcopy=False) if t.values]
        if len(ended) < self._random_trials or isinstance(distribution, CategoricalDistribution):
            return drawn
        return study.best_trial.params[name] + 0.1 * (drawn - study.best_trial.params[name])


register_search(
    Search(
        "near-the-best",
        "steps from the best trial",
        lambda request: NearTheBest(request.seed, 2),
        learns=True,
    )
)
