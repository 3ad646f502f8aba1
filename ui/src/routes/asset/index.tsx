/** The page is being built. */
import { Page } from "../../kit/Page";

export default function AssetPage() {
  return <Page title="Asset">{null}</Page>;
}
