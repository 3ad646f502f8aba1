/** The page is being built. */
import { Page } from "../../kit/Page";

export default function SensorPage() {
  return <Page title="Sensor">{null}</Page>;
}
