"""Every SQL statement of the pipeline, one module per layer; the tables in ``migrations``.

The functions take an open connection and plain records, bind every value, and leave the
transaction to :meth:`issue_pipeline.resources.duckdb.IssuesDatabase.write`.
"""
