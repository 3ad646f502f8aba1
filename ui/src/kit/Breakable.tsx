/** A name or path that breaks behind its joints rather than within a word. */
import { Fragment } from "react";

import { breakable } from "./breakable.model";

export function Breakable({ text }: { text: string }) {
  return breakable(text).map((piece, index) => (
    <Fragment key={index}>
      {index > 0 ? <wbr /> : null}
      {piece}
    </Fragment>
  ));
}
