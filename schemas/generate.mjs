/**
 * Makes two files of `controller/generated/` from the JSON Schemas beside this file:
 * `schema-types.ts`, a TypeScript type for each kind and its parts (json-schema-to-typescript), and
 * `schemas.ts`, the schemas themselves as constants, so that a built package needs no other files.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const schemaFolder = dirname(fileURLToPath(import.meta.url));
const outputFolder = join(schemaFolder, '..', 'controller', 'generated');
const notice = '// Made by schemas/generate.mjs from schemas/*.schema.json. Never edit it.\n';

const files = readdirSync(schemaFolder)
  .filter((file) => file.endsWith('.schema.json'))
  .sort();
const schemas = Object.fromEntries(
  files.map((file) => [file, JSON.parse(readFileSync(join(schemaFolder, file), 'utf8'))]),
);

mkdirSync(outputFolder, { recursive: true });
writeFileSync(join(outputFolder, 'schemas.ts'), renderSchemas());
writeFileSync(join(outputFolder, 'schema-types.ts'), await renderTypes());

function renderSchemas() {
  return `${notice}
export const schemas: Readonly<Record<string, object>> = ${JSON.stringify(schemas, null, 2)};
`;
}

/** All kinds are compiled as one schema, so that a part that several kinds share is one type. */
async function renderTypes() {
  const definitions = {};
  for (const [file, schema] of Object.entries(schemas)) {
    Object.assign(definitions, schema.$defs);
    if (schema.properties !== undefined) {
      definitions[file] = schema;
    }
  }
  const kinds = Object.entries(schemas).filter(([, schema]) => schema.properties !== undefined);
  const whole = {
    title: 'MeshDocument',
    oneOf: kinds.map(([file]) => ({ $ref: `#/$defs/${file}` })),
    definitions,
  };
  return compile(forTypes(whole), 'MeshDocument', {
    bannerComment: notice,
    unreachableDefinitions: false,
    format: false,
    // The upper bounds that lists have are for the validator; as types they would be tuples.
    ignoreMinAndMaxItems: true,
  });
}

/**
 * The schema without what says nothing about types: alternatives that only tell which fields are
 * required (they would be index signatures), and fields that are refused whatever they hold.
 */
function forTypes(schema) {
  if (Array.isArray(schema)) {
    return schema.map(forTypes);
  }
  if (schema === null || typeof schema !== 'object') {
    return schema;
  }
  if (typeof schema.$ref === 'string') {
    // A description beside a reference would make a second, numbered type of the same part.
    return { $ref: schema.$ref.replace(/^.*#\/\$defs\//, '#/definitions/') };
  }
  const kept = Object.entries(schema).filter(
    ([key, value]) =>
      !((key === 'oneOf' || key === 'anyOf') && value.every((one) => one.required !== undefined)) &&
      value?.not === undefined &&
      key !== '$defs' &&
      key !== '$schema',
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, forTypes(value)]));
}
