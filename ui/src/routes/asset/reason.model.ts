/** Why a condition requested something, or what would make it do so, in one sentence. Pure. */
import type { Part } from "./evaluation.model";

/** A part of a condition with those below it. */
interface Tree {
  readonly part: Part;
  readonly below: readonly Tree[];
}

/** "It is requested as soon as orders is updated.", or why it was; null where there are no parts. */
export function reasonOf(parts: readonly Part[]): string | null {
  const [root] = parts;
  if (root === undefined) return null;
  const tree = treeOf(root, parts);
  const words = new Words(root.entity);
  if (root.numTrue > 0) return `It was requested because ${joined(words.because(tree), "and")}.`;
  const needs = joined(words.until(tree), "or");
  const open = leavesOf(tree).some(({ part }) => part.numCandidates === 0);
  return `It is requested as soon as ${needs}${open ? ", if the parts that were not asked allow it" : ""}.`;
}

function treeOf(part: Part, parts: readonly Part[]): Tree {
  const depth = part.uniqueId.split(".").length + 1;
  const below = parts.filter((each) => each.uniqueId.startsWith(`${part.uniqueId}.`) && each.uniqueId.split(".").length === depth);
  return { part, below: below.map((each) => treeOf(each, parts)) };
}

function leavesOf(tree: Tree): Tree[] {
  return tree.below.length === 0 ? [tree] : tree.below.flatMap(leavesOf);
}

const isTrue = ({ part }: Tree) => part.numTrue > 0;

/** Parts that only allow what others ask for: they are no reason by themselves. */
const ALLOWING = new Set(["in_latest_time_window", "not", "all_deps", "all_checks"]);

type Phrase = (entity: string, part: Part) => string;

const UNTIL: Record<string, Phrase> = {
  missing: (entity, { isPartitioned }) => (isPartitioned ? `one more partition of ${entity} is missing` : `${entity} is missing`),
  newly_updated: (entity) => `${entity} is updated`,
  newly_requested: (entity) => `${entity} is requested`,
  will_be_requested: (entity) => `${entity} is requested`,
  cron_tick_passed: (_, part) => `the next time of ${argumentsOf(part)} comes`,
  code_version_changed: (entity) => `the code version of ${entity} changes`,
  data_version_changed: (entity) => `the data version of ${entity} changes`,
  execution_failed: (entity) => `a run of ${entity} fails`,
  run_in_progress: (entity) => `a run works on ${entity}`,
  backfill_in_progress: (entity) => `a backfill works on ${entity}`,
  in_latest_time_window: (entity) => `${entity} has a partition in the latest time windows`,
  initial_evaluation: () => "the condition is a new one",
};

const UNTIL_NOT: Record<string, Phrase> = {
  missing: (entity) => `nothing of ${entity} is missing`,
  run_in_progress: (entity) => `no run works on ${entity}`,
  backfill_in_progress: (entity) => `no backfill works on ${entity}`,
  execution_failed: (entity) => `a run of ${entity} does not fail`,
  executed_with_root_target: (entity) => `another run updates ${entity}`,
};

const BECAUSE: Record<string, Phrase> = {
  missing: (entity) => `${entity} is missing`,
  newly_updated: (entity) => `${entity} was updated`,
  newly_requested: (entity) => `${entity} was requested`,
  will_be_requested: (entity) => `${entity} is requested`,
  cron_tick_passed: (_, part) => `a time of ${argumentsOf(part)} had come`,
  code_version_changed: (entity) => `the code version of ${entity} has changed`,
  data_version_changed: (entity) => `the data version of ${entity} has changed`,
  execution_failed: (entity) => `the last run of ${entity} failed`,
  run_in_progress: (entity) => `a run works on ${entity}`,
  backfill_in_progress: (entity) => `a backfill works on ${entity}`,
  initial_evaluation: () => "the condition is a new one",
};

/** Phrases of a condition; `root` is the id of what it is a condition of, which is "it". */
class Words {
  constructor(private readonly root: string) {}

  /** What any of would make a part true that is false. */
  until(tree: Tree): string[] {
    const { part, below } = tree;
    const [first] = below;
    switch (part.operatorType) {
      case "and": {
        const blocking = below.find((each) => !isTrue(each));
        return blocking === undefined ? [this.phrase(UNTIL, part, "is true")] : this.until(blocking);
      }
      case "not":
        return first === undefined ? [this.phrase(UNTIL, part, "is true")] : [joined(this.untilNot(first), "and")];
      case "since":
        return first === undefined ? [this.phrase(UNTIL, part, "is true")] : this.until(first);
      case "newly_true":
        return first === undefined || (isTrue(first) && first.below.length > 0) ? [this.phrase(UNTIL, part, "is true")] : this.until(first);
      case "all_deps":
      case "all_checks": {
        const waiting = below.filter((each) => !isTrue(each));
        return waiting.length === 0 ? [this.phrase(UNTIL, part, "is true")] : [joined(waiting.map((each) => joined(this.until(each), "or")), "and")];
      }
      default: {
        if (below.length === 0) return [this.phrase(UNTIL, part, "is true")];
        return withoutRepeats(below.filter((each) => each.part.numCandidates > 0).flatMap((each) => this.until(each)), below, this);
      }
    }
  }

  /** What all of would make a part false that is true. */
  private untilNot({ part, below }: Tree): string[] {
    const held = below.filter(isTrue);
    if (held.length === 0 || part.operatorType === "since" || part.operatorType === "not") return [this.phrase(UNTIL_NOT, part, "is no longer true")];
    return [...new Set(held.flatMap((each) => this.untilNot(each)))];
  }

  /** Why a part is true. */
  because({ part, below }: Tree): string[] {
    const held = below.filter(isTrue);
    if (part.operatorType === "since" && !(below[0] && isTrue(below[0]))) return [`${this.phrase(BECAUSE, part, "is true")} since an earlier evaluation`];
    const telling = part.operatorType === "since" ? held.slice(0, 1) : held.filter((each) => !ALLOWING.has(each.part.operatorType));
    if (telling.length === 0) return [this.phrase(BECAUSE, part, "is true")];
    return [...new Set(telling.flatMap((each) => this.because(each)))];
  }

  phrase(phrases: Record<string, Phrase>, part: Part, otherwise: string): string {
    const entity = part.entity === this.root ? "it" : part.entity;
    return phrases[part.operatorType]?.(entity, part) ?? `${part.expandedLabel.join(" ")} of ${entity} ${otherwise}`;
  }
}

/** What is requested will be updated: where both are waited for, one is enough to tell. */
function withoutRepeats(phrases: readonly string[], below: readonly Tree[], words: Words): string[] {
  const requests = below
    .filter(({ part }) => part.operatorType === "will_be_requested")
    .map(({ part }) => words.phrase(UNTIL, part, ""));
  const others = phrases.filter((phrase) => !requests.includes(phrase));
  return [...new Set(others.length > 0 ? others : phrases)];
}

/** "a, b or c". */
function joined(phrases: readonly string[], word: "and" | "or"): string {
  return phrases.length < 2 ? (phrases[0] ?? "") : `${phrases.slice(0, -1).join(", ")} ${word} ${phrases.at(-1)}`;
}

/** What stands in the brackets of a part's name: "*\/2 * * * *, UTC". */
function argumentsOf({ expandedLabel }: Part): string {
  const [, inner] = /\((.*)\)/.exec(expandedLabel.join(" ")) ?? [];
  return inner ?? "its schedule";
}
