"""The query engine that the assets share."""

import duckdb
import pandas as pd

from penstock import ConfigurableResource


class DuckDB(ConfigurableResource):
    """SQL over data frames, in memory.

    Attributes:
        threads: How many threads a query may use.
    """

    threads: int = 1

    def query(self, sql: str, **tables: pd.DataFrame) -> pd.DataFrame:
        """The answer of a query; each keyword is a table that it may name."""
        with duckdb.connect(":memory:", config={"threads": self.threads}) as connection:
            for name, table in tables.items():
                connection.register(name, table)
            return connection.sql(sql).df()
