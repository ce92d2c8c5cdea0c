"""``GET /metrics``: Prometheus text, made from the database, so that it is the same whichever
process worked and survives restarts. Labels are ours or numbers; nothing names a person."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from github_app.store.counters import Series
from github_app.store.database import Store
from github_app.store.stats import WorkState
from github_app.web.services import services

blueprint = Blueprint("metrics", __name__)

# Counter -> its labels and its help line. ``docs/operations.md`` lists them; a test compares.
COUNTERS: dict[str, tuple[tuple[str, ...], str]] = {
    "deliveries": (("event",), "Deliveries stored, by event."),
    "judgements": (("outcome",), "Judgements made, by outcome."),
    "publications": (("conclusion",), "Check runs written, by conclusion."),
    "api_calls": (("installation", "kind"), "Calls to GitHub, by installation and kind."),
    "api_points": (("installation", "resource"), "Primary rate-limit points spent."),
    "errors": (("kind",), "Judgements that failed, by kind of error."),
    "bypasses": (("what",), "What reached a protected branch past the check."),
    "sweeps": (("result",), "What sweeps found."),
    "looks": (("result",), "Quick looks between sweeps: whether something had been missed."),
}
GAUGES: dict[str, tuple[tuple[str, ...], str]] = {
    "api_remaining": (("installation", "resource"), "What is left of the limit, as GitHub said."),
}

UNDELIVERED = {
    "undelivered": "Deliveries that GitHub lists and does not give, by what became of them.",
}

# In the order of ``Protections.unprotected``.
UNPROTECTED = {
    "unprotected_repositories": "Repositories with a branch that is not held, as last seen.",
    "unprotected_branches": "Default and release branches that are not held, as last seen.",
}


@blueprint.get("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    registry.register(StoreCollector(services().store))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class StoreCollector(Collector):
    """Reads queue and counters once a scrape."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        yield from self._queue()
        yield from self._counters()
        yield from self._undelivered()
        yield from self._protection()

    def _queue(self) -> Iterator[Metric]:
        stats = self._store.queue.stats()
        work = GaugeMetricFamily("countersign_work", "Work by state.", labels=["state"])
        for state in WorkState:
            work.add_metric([state.value], stats.count(state))
        yield work
        yield GaugeMetricFamily(
            "countersign_oldest_work_seconds",
            "Age of the oldest work that is not judged.",
            value=stats.oldest_age,
        )

    def _counters(self) -> Iterator[Metric]:
        values = self._store.counters.read()
        for name, (labels, text) in COUNTERS.items():
            counter = CounterMetricFamily(f"countersign_{name}", text, labels=labels)
            yield _filled(counter, labels, values)
        for name, (labels, text) in GAUGES.items():
            gauge = GaugeMetricFamily(f"countersign_{name}", text, labels=labels)
            yield _filled(gauge, labels, values)

    def _undelivered(self) -> Iterator[Metric]:
        ((name, text),) = UNDELIVERED.items()
        gauge = GaugeMetricFamily(f"countersign_{name}", text, labels=["state"])
        for state, count in self._store.undelivered.counts().items():
            gauge.add_metric([state.value], count)
        yield gauge

    def _protection(self) -> Iterator[Metric]:
        """By installation only: repositories are many, and their names are others'."""
        found = self._store.protections.unprotected()
        for place, (name, text) in enumerate(UNPROTECTED.items()):
            gauge = GaugeMetricFamily(f"countersign_{name}", text, labels=["installation"])
            for installation, counts in found.items():
                gauge.add_metric([str(installation)], counts[place])
            yield gauge


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily,
    labels: tuple[str, ...],
    values: Mapping[Series, float],
) -> Metric:
    """The family with every series of its name; the exposition adds a counter's ``_total``."""
    for (name, its_labels), value in values.items():
        if f"countersign_{name}" == family.name:
            given = dict(its_labels)
            family.add_metric([given.get(label, "") for label in labels], value)
    return family
