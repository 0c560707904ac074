"""A search that draws two trials at random and then steps from the best one so far."""

from optuna.samplers import RandomSampler

from infogan_bench.sweep.search import Search, register_search


class NearTheBest(RandomSampler):
    def sample_independent(self, study, trial, name, distribution):
        drawn = super().sample_independent(study, trial, name, distribution)
        if sum(bool(each.values) for each in study.get_trials(deepcopy=False)) < 2:
            return drawn
        best = study.best_trial.params[name]
        return best + 0.1 * (drawn - best)


register_search(
    Search(
        "near-the-best",
        "steps from the best trial",
        lambda request: NearTheBest(request.seed),
        learns=True,
        lists=False,  # it takes ranges of numbers alone
    )
)
