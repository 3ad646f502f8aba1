/** Stands in for a page whose code is on its way. */
import { Skeleton } from "../kit/Skeleton";

export function PagePending() {
  return <Skeleton rows={10} />;
}
