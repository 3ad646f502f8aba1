/** Turning schedules and sensors on and off, and back to what the code says. */
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { toastError } from "../kit/toast";
import { AUTOMATION_OPERATIONS, type AutomationKind, type Switching, switchInstigator } from "../services/automation";

export interface SwitchControl {
  readonly isBusy: boolean;
  turn: (name: string, on: boolean) => void;
  reset: (name: string) => void;
}

/** The switches of a location's schedules or sensors. */
export function useSwitch(kind: AutomationKind, location: string): SwitchControl {
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: ({ deed, name }: { deed: Switching; name: string }) => switchInstigator(deed, { kind, location, name }),
    onError: toastError,
    onSettled: () => {
      for (const operation of AUTOMATION_OPERATIONS) void client.invalidateQueries({ queryKey: [operation] });
    },
  });
  return {
    isBusy: act.isPending,
    turn: (name, on) => act.mutate({ deed: on ? "start" : "stop", name }),
    reset: (name) => act.mutate({ deed: "reset", name }),
  };
}
