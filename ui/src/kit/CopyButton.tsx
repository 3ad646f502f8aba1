/** Puts a text on the clipboard and says so. */
import { useState } from "react";

import { IconButton } from "./Button";

interface CopyButtonProps {
  text: () => string;
  label: string;
}

export function CopyButton({ text, label }: CopyButtonProps) {
  const [state, setState] = useState<"ready" | "done" | "barred">("ready");
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => setState("done"),
      () => setState("barred"),
    );
    setTimeout(() => setState("ready"), 1500);
  };
  const words = { ready: label, done: "Copied", barred: "The browser does not allow it" }[state];
  return <IconButton icon={state === "done" ? "check" : "copy"} label={words} onPress={copy} />;
}
