"""What people import: datasources, datasets, queries, results and metadata."""
