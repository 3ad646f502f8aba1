/** The page is being built. */
import { Page } from "../../kit/Page";

export default function DeploymentPage() {
  return <Page title="Deployment">{null}</Page>;
}
