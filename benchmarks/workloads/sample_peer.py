"""In the peer's environment: makes its instance's tables and a few runs in them through its own API.

Run as `python sample_peer.py OUT`; DAGSTER_HOME names the instance. Writes to OUT, as JSON, which runs it made: more
are made after their rows. Names that are to be replaced hold `TOKEN`.
"""

import json
import sys

from dagster import (
    AssetSelection,
    DagsterInstance,
    Definitions,
    HourlyPartitionsDefinition,
    MaterializeResult,
    asset,
    define_asset_job,
)

TAGS = ("team", "env", "region", "owner", "tier", "release", "shard", "batch")


def make(context, fail: bool) -> MaterializeResult:
    """What the asset does."""
    if fail:
        raise ValueError("a row has no price")
    context.log.info(f"read 48,211 rows of {context.asset_key.to_user_string()} from the warehouse")
    return MaterializeResult(metadata={"rows": 48_211, "seconds": 1.482})


def main(out: str) -> None:
    """Make the runs."""
    hours = HourlyPartitionsDefinition(start_date="2015-01-01-00:00", end_date="2015-01-03-00:00")
    runs = {}
    with DagsterInstance.get() as instance:
        for kind in ("SUCCESS", "FAILURE", "CANCELED"):
            for partitioned in (False, True):

                @asset(name="asset_TOKEN", partitions_def=hours if partitioned else None)
                def made(context) -> MaterializeResult:
                    return make(context, kind == "FAILURE")  # noqa: B023

                job = define_asset_job("job_TOKEN", AssetSelection.assets("asset_TOKEN"))
                definition = Definitions(assets=[made], jobs=[job]).get_job_def("job_TOKEN")
                tags = {tag: f"{tag}_TOKEN" for tag in TAGS}
                if kind == "CANCELED":
                    run = instance.create_run_for_job(definition, tags=tags)
                    instance.report_run_canceling(run)
                    instance.report_run_canceled(run)
                    run_id = run.run_id
                else:
                    key = "2015-01-02-00:00" if partitioned else None
                    run_id = definition.execute_in_process(
                        instance=instance, partition_key=key, tags=tags, raise_on_error=False
                    ).run_id
                runs[f"{kind} {partitioned}"] = run_id
    with open(out, "w") as file:
        json.dump(runs, file)


if __name__ == "__main__":
    main(sys.argv[1])
