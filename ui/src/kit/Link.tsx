/** A link to one of our own pages: plain clicks stay in the page, all others are the browser's. */
import { type AnchorHTMLAttributes, type MouseEvent } from "react";

import { basePath } from "../services/bootstrap";
import { useGo, usePreload } from "../services/navigation";
import css from "./Link.module.css";
import { cx } from "./cx";

interface LinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href"> {
  /** An address that `links` made. */
  to: string;
  /** Without the look of a link, as in navigation. */
  bare?: boolean;
}

export function Link({ to, bare = false, className, onClick, ...rest }: LinkProps) {
  const go = useGo();
  const preload = usePreload();
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    go(to);
  };
  return (
    <a
      {...rest}
      href={basePath + to.slice(1)}
      className={cx(bare ? null : css.link, className)}
      onClick={follow}
      onPointerEnter={() => preload(to)}
    />
  );
}
