/** Lays large graphs out away from the page's own thread. */

import { layout, type LayoutInput } from "./layout.model";

self.onmessage = ({ data }: MessageEvent<{ id: number; input: LayoutInput }>) => {
  self.postMessage({ id: data.id, layout: layout(data.input) });
};
