"""Which configuration comes next: Optuna's samplers, the planner, what was learned before."""
