/** The page is being built. */
import { Page } from "../../kit/Page";

export default function LineagePage() {
  return <Page title="Lineage">{null}</Page>;
}
