/** The schema of a run config as the server sends it, and questions about it: what may stand at a path. */

export type ScalarKind = "int" | "float" | "bool" | "str" | "any";

export type ConfigType =
  | { readonly type: "scalar"; readonly kind?: ScalarKind }
  | { readonly type: "enum"; readonly values: readonly string[] }
  | { readonly type: "array"; readonly item: ConfigType }
  | {
      readonly type: "map";
      readonly value: ConfigType;
      readonly key?: ScalarKind;
      /** What a key stands for. */
      readonly key_label?: string;
    }
  | { readonly type: "noneable"; readonly inner: ConfigType }
  | { readonly type: "scalar_union"; readonly scalar: ConfigType; readonly other: ConfigType }
  | {
      readonly type: "shape" | "permissive" | "selector";
      readonly fields?: Readonly<Record<string, ConfigField>>;
      readonly description?: string | null;
      /** By field, another name under which a shape takes it. */
      readonly aliases?: Readonly<Record<string, string>>;
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
  return parent && name !== undefined ? fieldOf(fieldsOf(parent), aliasesOf(parent), String(name)) : undefined;
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
    case "scalar_union":
      return fieldsOf(type.other);
    default:
      return {};
  }
}

type Aliases = Readonly<Record<string, string>>;

function aliasesOf(type: ConfigType): Aliases {
  return type.type === "shape" ? (type.aliases ?? {}) : {};
}

function fieldOf(
  fields: Readonly<Record<string, ConfigField>>,
  aliases: Aliases,
  name: string,
): ConfigField | undefined {
  const aliased = Object.entries(aliases).find(([, alias]) => alias === name);
  return fields[name] ?? (aliased && fields[aliased[0]]);
}

function child(type: ConfigType, part: string | number): ConfigType | undefined {
  switch (type.type) {
    case "array":
      return typeof part === "number" || /^\d+$/.test(part) ? type.item : undefined;
    case "map":
      return type.value;
    case "noneable":
      return child(type.inner, part);
    case "scalar_union":
      return child(type.other, part);
    case "scalar":
    case "enum":
      return undefined;
    default:
      return fieldOf(type.fields ?? {}, aliasesOf(type), String(part))?.type;
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
      return `map of ${type.key_label ?? type.key ?? "str"} to ${describeType(type.value)}`;
    case "noneable":
      return `${describeType(type.inner)} or null`;
    case "scalar_union":
      return `${describeType(type.scalar)}, or ${describeType(type.other)}`;
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
  if (type.type === "scalar_union") return false;
  return type.type !== "scalar" && type.type !== "enum";
}

/** The values that can be listed for a type. */
export function choices(type: ConfigType): string[] {
  switch (type.type) {
    case "enum":
      return [...type.values];
    case "noneable":
      return [...choices(type.inner), "null"];
    case "scalar_union":
      return choices(type.scalar);
    case "scalar":
      return type.kind === "bool" ? ["true", "false"] : [];
    default:
      return [];
  }
}
