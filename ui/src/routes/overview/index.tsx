/** The page is being built. */
import { Page } from "../../kit/Page";

export default function OverviewPage() {
  return <Page title="Overview">{null}</Page>;
}
