/** The schema of a run config as the server sends it, and questions about it: what may stand at a path. */

export type ScalarKind = "int" | "float" | "bool" | "str" | "any";

export type ConfigType =
  | { readonly type: "scalar"; readonly kind?: ScalarKind }
  | { readonly type: "enum"; readonly values: readonly string[] }
  | { readonly type: "array"; readonly item: ConfigType }
  | { readonly type: "map"; readonly value: ConfigType; readonly key?: ScalarKind }
  | { readonly type: "noneable"; readonly inner: ConfigType }
  | {
      readonly type: "shape" | "permissive" | "selector";
      readonly fields?: Readonly<Record<string, ConfigField>>;
      readonly description?: string | null;
    };

export interface ConfigField {
  readonly type: ConfigType;
  /** Left out when true. */
  readonly required?: boolean;
  readonly default?: unknown;
  readonly description?: string | null;
  readonly secret?: boolean;
}

export type Path = readonly (string | number)[];

/** What may stand at a path; undefined where the schema does not reach. */
export function typeAt(root: ConfigType, path: Path): ConfigType | undefined {
  let type: ConfigType | undefined = root;
  for (const part of path) {
    if (!type) return undefined;
    type = child(type, part);
  }
  return type;
}

/** The declared field that a path names, with its description and default. */
export function fieldAt(root: ConfigType, path: Path): ConfigField | undefined {
  const name = path.at(-1);
  const parent = typeAt(root, path.slice(0, -1));
  return parent && name !== undefined ? fieldsOf(parent)[String(name)] : undefined;
}

/** The declared fields of a type; none for what has no fields. */
export function fieldsOf(type: ConfigType): Readonly<Record<string, ConfigField>> {
  switch (type.type) {
    case "shape":
    case "permissive":
    case "selector":
      return type.fields ?? {};
    case "noneable":
      return fieldsOf(type.inner);
    default:
      return {};
  }
}

function child(type: ConfigType, part: string | number): ConfigType | undefined {
  switch (type.type) {
    case "array":
      return typeof part === "number" || /^\d+$/.test(part) ? type.item : undefined;
    case "map":
      return type.value;
    case "noneable":
      return child(type.inner, part);
    case "scalar":
    case "enum":
      return undefined;
    default:
      return type.fields?.[String(part)]?.type;
  }
}

/** A type in a few words. */
export function describeType(type: ConfigType): string {
  switch (type.type) {
    case "scalar":
      return type.kind ?? "any";
    case "enum":
      return type.values.join(" | ");
    case "array":
      return `list of ${describeType(type.item)}`;
    case "map":
      return `map of ${type.key ?? "str"} to ${describeType(type.value)}`;
    case "noneable":
      return `${describeType(type.inner)} or null`;
    case "selector":
      return `one of ${Object.keys(type.fields ?? {}).join(", ")}`;
    case "permissive":
      return "mapping, further keys allowed";
    case "shape":
      return "mapping";
  }
}

/** Whether a value of this type is written on the lines below its key. */
export function isNested(type: ConfigType): boolean {
  if (type.type === "noneable") return isNested(type.inner);
  return type.type !== "scalar" && type.type !== "enum";
}

/** The values that can be listed for a type. */
export function choices(type: ConfigType): string[] {
  switch (type.type) {
    case "enum":
      return [...type.values];
    case "noneable":
      return [...choices(type.inner), "null"];
    case "scalar":
      return type.kind === "bool" ? ["true", "false"] : [];
    default:
      return [];
  }
}
