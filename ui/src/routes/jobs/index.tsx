/** The page is being built. */
import { Page } from "../../kit/Page";

export default function JobsPage() {
  return <Page title="Jobs">{null}</Page>;
}
