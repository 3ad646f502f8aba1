/** Every schedule and sensor, runs that are planned, what lost its code, and what people did. */
import { Page } from "../../kit/Page";
import { Tabs } from "../../kit/Tabs";
import { useSearchState } from "../../services/navigation";
import { AllActs } from "./AllActs";
import { Instigators } from "./Instigators";
import { OneOffs } from "./OneOffs";
import { WithoutCode } from "./WithoutCode";

const TABS = [
  { id: "all", label: "Schedules and sensors" },
  { id: "once", label: "Runs at a time" },
  { id: "nocode", label: "Without code" },
  { id: "acts", label: "What people did" },
];

export default function AutomationPage() {
  const [{ tab = "all" }, change] = useSearchState();
  return (
    <Page title="Automation">
      <Tabs
        label="Automation"
        items={TABS}
        selected={tab}
        onSelect={(id) => change({ tab: id === "all" ? "" : id, q: "", show: "", location: "" }, { replace: false })}
      >
        {tab === "once" ? <OneOffs /> : tab === "nocode" ? <WithoutCode /> : tab === "acts" ? <AllActs /> : <Instigators />}
      </Tabs>
    </Page>
  );
}
