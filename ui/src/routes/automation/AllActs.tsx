/** What people did to the deployment. */
import { useState } from "react";

import { Acts } from "../../automation/Acts";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Skeleton } from "../../kit/Skeleton";
import { OPERATOR_ACTS } from "../../services/automation";
import { useData } from "../../services/data";
import css from "./automation.module.css";

const PAGE = 100;

export function AllActs() {
  const [limit, setLimit] = useState(PAGE);
  const answer = useData(OPERATOR_ACTS, { limit }, { live: ["instigators", "one_offs", "runs", "backfills", "pools", "assets"] });
  const acts = answer.data?.operatorActs;
  if (answer.error) return <Failure error={answer.error} title="The acts could not be read." onRetry={() => void answer.refetch()} />;
  if (acts === undefined) return <Skeleton rows={6} />;
  if (acts.length === 0) {
    return (
      <Empty title="Nobody has changed anything" icon="automation">
        Launches, deletions, switches, overrides, limits and whatever else people change is listed here, with who did it and why.
      </Empty>
    );
  }
  return (
    <>
      <Acts acts={acts} ofAll stale={answer.isPlaceholderData} />
      {acts.length === limit ? (
        <p className={css.more}>
          <Button onPress={() => setLimit(limit + PAGE)}>Show {PAGE} more</Button>
        </p>
      ) : null}
    </>
  );
}
