"""Datasources and datasets, under the names the documentation uses."""

from dagshub.data_engine import datasets, datasources

__all__ = ["datasets", "datasources"]
