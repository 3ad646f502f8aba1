/** The page is being built. */
import { Page } from "../../kit/Page";

export default function AssetsPage() {
  return <Page title="Assets">{null}</Page>;
}
