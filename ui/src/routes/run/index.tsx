/** The page is being built. */
import { Page } from "../../kit/Page";

export default function RunPage() {
  return <Page title="Run">{null}</Page>;
}
