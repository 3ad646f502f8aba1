/** The page is being built. */
import { Page } from "../../kit/Page";

export default function SettingsPage() {
  return <Page title="Settings">{null}</Page>;
}
