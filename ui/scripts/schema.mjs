/**
 * Checks every GraphQL document under src/ against the server's schema and writes the types of their answers and
 * variables to src/services/schema.gen.ts. A document is a template tagged `gql` with one named operation or fragment;
 * `${OTHER}` inside it adds another document's fragments.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import * as graphql from "graphql";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const OUTPUT = here("../src/services/schema.gen.ts");
const SCALARS = { ID: "string", String: "string", Int: "number", Float: "number", Boolean: "boolean" };

const schema = graphql.buildSchema(readFileSync(here("../../src/penstock/web/graphql/schema.graphql"), "utf8"));
const problems = [];
const documents = readDocuments();
const fragments = new Map();
for (const { ast } of documents) {
  for (const definition of ast.definitions) {
    if (definition.kind === "FragmentDefinition") fragments.set(definition.name.value, definition);
  }
}

const out = ["// Written by scripts/schema.mjs from the server's schema and the documents under src/. Do not edit.\n"];
for (const type of Object.values(schema.getTypeMap()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
  if (type.name.startsWith("__")) continue;
  if (graphql.isEnumType(type)) {
    out.push(`export type ${type.name} = ${type.getValues().map((value) => `"${value.name}"`).join(" | ")};`);
  } else if (graphql.isInputObjectType(type)) {
    out.push(`export type ${type.name} = ${inputFields(Object.values(type.getFields()))};`);
  }
}
for (const { file, ast } of documents) {
  for (const definition of ast.definitions) writeDefinition(definition, file);
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
const text = `${out.join("\n")}\n`;
if (!existsSync(OUTPUT) || readFileSync(OUTPUT, "utf8") !== text) writeFileSync(OUTPUT, text);

function readDocuments() {
  const found = [];
  for (const file of sourceFiles()) {
    const source = readFileSync(file, "utf8");
    for (const match of source.matchAll(/\bgql(?:<[^`]*>)?`([^`]*)`/g)) {
      try {
        found.push({ file, ast: graphql.parse(match[1].replaceAll(/\$\{[^}]*\}/g, "")) });
      } catch (error) {
        problems.push(`${file}: ${error.message}`);
      }
    }
  }
  return found;
}

function sourceFiles() {
  const root = here("../src/");
  const names = readdirSync(root, { recursive: true }).filter((name) => /\.tsx?$/.test(name) && !/\.(test|gen)\./.test(name));
  return names.sort().map((name) => root + name);
}

function writeDefinition(definition, file) {
  const used = [...fragmentsOf(definition)].map((name) => fragments.get(name)).filter(Boolean);
  const whole = { kind: "Document", definitions: [definition, ...used] };
  const rules = graphql.specifiedRules.filter(
    (rule) => definition.kind === "OperationDefinition" || rule !== graphql.NoUnusedFragmentsRule,
  );
  const errors = graphql.validate(schema, whole, rules);
  problems.push(...errors.map((error) => `${file}: ${error.message}`));
  if (errors.length > 0) return;
  const name = definition.name?.value;
  if (name === undefined) {
    problems.push(`${file}: a document has no name; write "query SomeName {".`);
  } else if (definition.kind === "FragmentDefinition") {
    const type = schema.getType(definition.typeCondition.name.value);
    out.push(`export type ${name}Fragment = ${selection(type, [definition.selectionSet], file, "")};`);
  } else {
    const kind = definition.operation === "mutation" ? "Mutation" : "Query";
    out.push(`export type ${name}${kind} = ${selection(schema.getType(kind), [definition.selectionSet], file, "")};`);
    const variables = definition.variableDefinitions.map((variable) => ({
      name: variable.variable.name.value,
      type: graphql.typeFromAST(schema, variable.type),
      defaultValue: variable.defaultValue,
    }));
    out.push(`export type ${name}${kind}Variables = ${inputFields(variables)};`);
  }
}

function fragmentsOf(node, seen = new Set()) {
  graphql.visit(node, {
    FragmentSpread(spread) {
      const name = spread.name.value;
      if (seen.has(name) || !fragments.has(name)) return;
      seen.add(name);
      fragmentsOf(fragments.get(name), seen);
    },
  });
  return seen;
}

/** The type of what a selection on a composite type answers: a union of shapes for interfaces and unions. */
function selection(type, sets, file, indent) {
  if (!graphql.isAbstractType(type)) return shape([type], sets, file, indent);
  const byShape = new Map();
  for (const possible of schema.getPossibleTypes(type)) {
    const signature = shape([possible], sets, file, indent, true);
    byShape.set(signature, [...(byShape.get(signature) ?? []), possible]);
  }
  return [...byShape.values()].map((types) => shape(types, sets, file, indent)).join(" | ");
}

function shape(types, sets, file, indent, anonymous = false) {
  const fields = new Map();
  for (const set of sets) collect(types[0], set, fields);
  const inner = `${indent}  `;
  const lines = [...fields].map(([key, nodes]) => {
    const name = nodes[0].name.value;
    if (name === "__typename") {
      return `${inner}${key}: ${anonymous ? "string" : types.map((type) => `"${type.name}"`).join(" | ")};`;
    }
    const field = types[0].getFields()[name];
    return `${inner}${key}: ${outputType(field.type, nodes, file, inner)};`;
  });
  return lines.length === 0 ? "Record<string, never>" : `{\n${lines.join("\n")}\n${indent}}`;
}

function collect(type, set, fields) {
  for (const node of set.selections) {
    if (node.kind === "Field") {
      const key = node.alias?.value ?? node.name.value;
      fields.set(key, [...(fields.get(key) ?? []), node]);
    } else {
      const part = node.kind === "FragmentSpread" ? fragments.get(node.name.value) : node;
      const condition = part.typeCondition ? schema.getType(part.typeCondition.name.value) : type;
      if (condition === type || (graphql.isAbstractType(condition) && schema.isSubType(condition, type))) {
        collect(type, part.selectionSet, fields);
      }
    }
  }
}

function outputType(type, nodes, file, indent) {
  if (graphql.isNonNullType(type)) return bareOutput(type.ofType, nodes, file, indent);
  return `${bareOutput(type, nodes, file, indent)} | null`;
}

function bareOutput(type, nodes, file, indent) {
  if (graphql.isListType(type)) return `Array<${outputType(type.ofType, nodes, file, indent)}>`;
  if (graphql.isEnumType(type)) return type.name;
  if (graphql.isScalarType(type)) return SCALARS[type.name] ?? "unknown";
  return selection(type, nodes.map((node) => node.selectionSet), file, indent);
}

function inputFields(fields) {
  if (fields.length === 0) return "Record<string, never>";
  const lines = fields.map((field) => {
    const optional = graphql.isNonNullType(field.type) && field.defaultValue === undefined ? "" : "?";
    return `  ${field.name}${optional}: ${inputType(field.type)};`;
  });
  return `{\n${lines.join("\n")}\n}`;
}

function inputType(type) {
  if (graphql.isNonNullType(type)) return bareInput(type.ofType);
  return `${bareInput(type)} | null`;
}

function bareInput(type) {
  if (graphql.isListType(type)) return `Array<${inputType(type.ofType)}>`;
  if (graphql.isScalarType(type)) return SCALARS[type.name] ?? "unknown";
  return type.name;
}
