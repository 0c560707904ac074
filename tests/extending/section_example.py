"""A section of the report: the seconds that each trial took."""

import plotly.graph_objects as go
from infogan_reports import Figure, RankedSweep, Section, plot_json, register_section


def seconds(sweep: RankedSweep) -> dict[str, float]:
    return {trial.trial_id: trial.seconds for trial in sweep.trials}


def bars(content: dict[str, float], sweep: RankedSweep) -> list[Figure]:
    figure = go.Figure(go.Bar(x=[f"trial {name}" for name in content], y=list(content.values())))
    alt = f"Seconds of {len(content)} trials."
    return [Figure("seconds-by-trial", "Seconds by trial", "", alt, plot_json(figure))]


TEMPLATE = """<p class="lede">{{ content|length|counted("trial") }} of {{ sweep.name }} took
{{ content.values()|sum|duration }}.</p>{{ draw(figures) }}"""

register_section(Section("seconds", "Seconds", TEMPLATE, seconds, bars))
