/** What this deployment is made of: code locations, duties and processes, alerts, settings. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { Button } from "../../kit/Button";
import { Failure } from "../../kit/ErrorPanel";
import { Page, Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { Tabs } from "../../kit/Tabs";
import { toast, toastError } from "../../kit/toast";
import { useData } from "../../services/data";
import { DEPLOYMENT, reloadAll } from "../../services/deployment";
import { useSearchState } from "../../services/navigation";
import { Alerts } from "./Alerts";
import { Concurrency } from "./Concurrency";
import { Configuration } from "./Configuration";
import { Locations } from "./Locations";
import { Processes } from "./Processes";
import { Retention } from "./Retention";

const DEFAULT_TAB = "locations";

export default function DeploymentPage() {
  const [search, change] = useSearchState();
  const client = useQueryClient();
  const tab = search.tab ?? DEFAULT_TAB;
  const answer = useData(DEPLOYMENT, {}, { live: tab === "concurrency" ? ["locations", "processes", "queue"] : ["locations", "processes"] });
  const reload = useMutation({
    mutationFn: reloadAll,
    onSuccess: (failed) =>
      toast(failed.length === 0 ? { text: "All code is loaded anew." } : { text: `Did not load: ${failed.join(", ")}`, tone: "bad" }),
    onError: toastError,
    onSettled: () => void client.invalidateQueries(),
  });
  const { data } = answer;
  const locations = data?.workspaceOrError.__typename === "Workspace" ? data.workspaceOrError.locationEntries : [];
  const duties = data?.instance.daemonHealth.allDaemonStatuses ?? [];
  const tabs = [
    { id: "locations", label: "Code locations", count: data === undefined ? undefined : locations.length },
    { id: "processes", label: "Daemon and processes", count: data?.instance.processes.length },
    { id: "concurrency", label: "Concurrency" },
    { id: "alerts", label: "Alerts" },
    { id: "retention", label: "What is kept" },
    { id: "configuration", label: "Configuration" },
  ];
  return (
    <Page
      title="Deployment"
      actions={
        <Button icon="reload" isPending={reload.isPending} onPress={() => reload.mutate()}>
          Reload all code
        </Button>
      }
    >
      <Tabs
        label="Parts of the deployment"
        items={tabs}
        selected={tab}
        onSelect={(id) => change({ tab: id === DEFAULT_TAB ? "" : id, location: "", pool: "", status: "", before: "", message: "" }, { replace: false })}
      >
        {answer.isError ? (
          <Section>
            <Failure title="The deployment could not be read." error={answer.error} onRetry={() => void answer.refetch()} />
          </Section>
        ) : null}
        {data === undefined ? (
          answer.isPending ? <Skeleton /> : null
        ) : data.workspaceOrError.__typename !== "Workspace" ? (
          <Section>
            <Failure error={new Error(data.workspaceOrError.message)} />
          </Section>
        ) : tab === "processes" ? (
          <Processes duties={duties} processes={data.instance.processes} />
        ) : tab === "concurrency" ? (
          <Concurrency instance={data.instance} focus={search.pool ?? ""} onFocus={(pool) => change({ pool })} />
        ) : tab === "alerts" ? (
          <Alerts />
        ) : tab === "retention" ? (
          <Retention />
        ) : tab === "configuration" ? (
          <Configuration data={data} />
        ) : (
          <Locations locations={locations} focus={search.location ?? null} />
        )}
      </Tabs>
    </Page>
  );
}
