"""Open saved datasets; everything here is `pathlake.datasets`."""

from pathlake.client.datasets import get_dataset, get_datasets

__all__ = ["get_dataset", "get_datasets"]
