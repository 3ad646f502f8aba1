/** The page is being built. */
import { Page } from "../../kit/Page";

export default function AutomationPage() {
  return <Page title="Automation">{null}</Page>;
}
