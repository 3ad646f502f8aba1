import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { coalesce } from "./coalesce";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("coalesce", () => {
  it("runs at once, and once more for any number of calls meanwhile", async () => {
    let ended: () => void = () => undefined;
    const task = vi.fn(() => new Promise<void>((resolve) => (ended = resolve)));
    const run = coalesce(task, 100);
    run();
    run();
    run();
    expect(task).toHaveBeenCalledTimes(1);
    ended();
    await vi.advanceTimersByTimeAsync(99);
    expect(task).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(2);
    ended();
    await vi.advanceTimersByTimeAsync(500);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it("rests for longer after a run that took long", async () => {
    const task = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 500)));
    const run = coalesce(task, 100, 4);
    run();
    run();
    await vi.advanceTimersByTimeAsync(500 + 1999);
    expect(task).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it("rests for no longer than a few seconds", async () => {
    const task = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 9_000)));
    const run = coalesce(task, 100, 4);
    run();
    run();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it("pauses for as long as is asked for, however short the run", async () => {
    const task = vi.fn(() => Promise.resolve());
    const run = coalesce(task, 10_000, 4);
    run();
    run();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(task).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(2);
  });

  it("goes on after a failure", async () => {
    const task = vi.fn(() => Promise.reject(new Error("no")));
    const run = coalesce(task, 10);
    run();
    await vi.advanceTimersByTimeAsync(50);
    run();
    await vi.advanceTimersByTimeAsync(50);
    expect(task).toHaveBeenCalledTimes(2);
  });
});
