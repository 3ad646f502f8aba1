import { describe, expect, it } from "vitest";

import { errorStory, type Exception, type ExceptionTree, type Frame, frameGroups, headline } from "./error.model";

const frame = (user: boolean, line = 1): Frame => ({ file: "f.py", line, function: "f", code: "x()", user });
const exception = (className: string, message: string): Exception => ({ className, message, stack: ["a"], frames: [] });

describe("errorStory", () => {
  it("puts the root cause first, then what surrounds it, nearest first", () => {
    const root = exception("ValueError", "deep");
    const middle = exception("KeyError", "middle");
    const tree: ExceptionTree = {
      ...exception("StepError", "outer"),
      rootCause: root,
      errorChain: [
        { message: "", isExplicitLink: true, error: middle },
        { message: "", isExplicitLink: false, error: root },
      ],
    };
    const story = errorStory(tree);
    expect(story.cause).toBe(root);
    expect(story.around.map((link) => link.exception.className)).toEqual(["KeyError", "StepError"]);
  });

  it("is the exception alone when nothing caused it", () => {
    const tree: ExceptionTree = { ...exception("ValueError", "x"), rootCause: null, errorChain: [] };
    expect(errorStory(tree)).toEqual({ cause: tree, around: [] });
  });
});

describe("frameGroups", () => {
  it("gathers neighbours of the same kind, in order", () => {
    const groups = frameGroups([frame(false, 1), frame(false, 2), frame(true, 3), frame(false, 4)]);
    expect(groups.map((group) => [group.user, group.frames.length])).toEqual([
      [false, 2],
      [true, 1],
      [false, 1],
    ]);
  });
});

describe("headline", () => {
  it.each([
    ["ValueError", "ValueError: bad", "ValueError: bad"],
    ["ValueError", "bad\n", "ValueError: bad"],
    ["KeyError", "", "KeyError"],
    [null, "gone", "gone"],
  ])("of %s and %j is %s", (className, message, expected) => {
    expect(headline({ className, message })).toBe(expected);
  });
});
