/** The page is being built. */
import { Page } from "../../kit/Page";

export default function RunsPage() {
  return <Page title="Runs">{null}</Page>;
}
