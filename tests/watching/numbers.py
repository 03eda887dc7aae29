"""What the service counts of itself, as a scrape would read it."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from app import metrics


def value(name: str, **labels: str) -> float:
    """Give a number as this process counts it now; 0 where nothing was counted."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Read what a scrape gives: numbers by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(scraped: Mapping[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    """Give one number of a scrape."""
    return scraped[name, frozenset(labels.items())]
