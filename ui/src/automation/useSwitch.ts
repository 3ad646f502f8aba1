/** Turning schedules and sensors on and off, and back to what the code says. */
import { toastError } from "../kit/toast";
import {
  AUTOMATION_OPERATIONS,
  RESET_SCHEDULE,
  RESET_SENSOR,
  START_SCHEDULE,
  START_SENSOR,
  STOP_SCHEDULE,
  STOP_SENSOR,
} from "../services/automation";
import { useAction } from "../services/data";

export type AutomationKind = "schedule" | "sensor";

export interface SwitchControl {
  readonly isBusy: boolean;
  turn: (name: string, on: boolean) => void;
  reset: (name: string) => void;
}

/** The switches of a location's schedules or sensors. */
export function useSwitch(kind: AutomationKind, location: string): SwitchControl {
  const actions = {
    schedule: {
      start: useAction(START_SCHEDULE, AUTOMATION_OPERATIONS),
      stop: useAction(STOP_SCHEDULE, AUTOMATION_OPERATIONS),
      reset: useAction(RESET_SCHEDULE, AUTOMATION_OPERATIONS),
    },
    sensor: {
      start: useAction(START_SENSOR, AUTOMATION_OPERATIONS),
      stop: useAction(STOP_SENSOR, AUTOMATION_OPERATIONS),
      reset: useAction(RESET_SENSOR, AUTOMATION_OPERATIONS),
    },
  };
  const act = (deed: "start" | "stop" | "reset", name: string) => {
    const options = { onSuccess: told, onError: toastError };
    if (kind === "schedule") {
      actions.schedule[deed].mutate({ selector: { repositoryLocationName: location, scheduleName: name } }, options);
    } else {
      actions.sensor[deed].mutate({ selector: { repositoryLocationName: location, sensorName: name } }, options);
    }
  };
  return {
    isBusy: Object.values(actions[kind]).some((action) => action.isPending),
    turn: (name, on) => act(on ? "start" : "stop", name),
    reset: (name) => act("reset", name),
  };
}

/** An error that came as an answer. */
function told({ answer }: { answer: { __typename: string; message?: string } }): void {
  if (answer.message !== undefined) toastError(new Error(answer.message));
}
