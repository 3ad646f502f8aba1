/** The page is being built. */
import { Page } from "../../kit/Page";

export default function SchedulePage() {
  return <Page title="Schedule">{null}</Page>;
}
