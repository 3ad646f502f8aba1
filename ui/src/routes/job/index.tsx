/** The page is being built. */
import { Page } from "../../kit/Page";

export default function JobPage() {
  return <Page title="Job">{null}</Page>;
}
