/** In place of the log of a run whose events were removed. */
import { Empty } from "../../kit/Empty";
import { Link } from "../../kit/Link";
import { links } from "../../links";

export function LogGone() {
  return (
    <Empty title="The events of this run are no longer kept" icon="runs" action={<Link to={links.deployment({ tab: "retention" })}>What is kept, and for how long</Link>}>
      They were older than the settings say. What is known of the run, its steps and the assets that it made stays.
    </Empty>
  );
}
