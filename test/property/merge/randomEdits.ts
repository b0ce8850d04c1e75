import { type Choices, type Model, operation, schema, sentence } from './generatedDocuments.ts';

type Maps = { [key: string]: Model };

/** Edits a copy of a document at random places; `scope` keeps it to one path and one schema where given. */
export function edit(
  document: Maps,
  choices: Choices,
  count: number,
  scope?: { readonly path: string; readonly schema: string },
): Maps {
  const copy = structuredClone(document);
  for (let i = 0; i < count; i++) editOnce(copy, choices, scope);
  return copy;
}

/** A copy in which each path refers to a schema, and every schema is referred to. */
export function withReferences(document: Maps): Maps {
  const copy = structuredClone(document);
  const names = Object.keys(map(map(copy['components'])['schemas']));
  const operations = Object.values(map(copy['paths'])).flatMap((item) => Object.values(map(item)));
  names.forEach((name, index) => {
    const responses = map(map(operations[index % operations.length])['responses']);
    map(responses['200'])[`x-schema-${index}`] = { $ref: `#/components/schemas/${name}` };
  });
  return copy;
}

/** A new operation that refers to a schema. */
export function addUse(document: Maps, name: string): void {
  map(document['paths'])['/uses'] = {
    get: {
      operationId: 'uses',
      responses: { 200: { description: 'Used', schema: { $ref: `#/components/schemas/${name}` } } },
    },
  };
}

function editOnce(
  document: Maps,
  choices: Choices,
  scope: { readonly path: string; readonly schema: string } | undefined,
): void {
  const paths = map(document['paths']);
  const schemas = map(map(document['components'])['schemas']);
  const pathNames = Object.keys(paths);
  const schemaNames = Object.keys(schemas);
  if (pathNames.length === 0 || schemaNames.length === 0) return;
  const path = scope?.path ?? choices.pick(pathNames);
  const name = scope?.schema ?? choices.pick(schemaNames);
  const item = map(paths[path]);
  const own = map(item['get']);
  const target = map(schemas[name]);
  switch (choices.below(scope === undefined ? 14 : 9)) {
    case 0:
      own['summary'] = sentence(choices, 3);
      break;
    case 1:
      if (typeof own['description'] === 'string') own['description'] = changeLine(own['description'], choices);
      else own['description'] = sentence(choices, 6);
      break;
    case 2:
      list(own, 'parameters').push({
        in: 'query',
        name: `n${choices.below(6)}${scope?.path ?? ''}`.replace('/', ''),
        schema: { type: 'string' },
      });
      break;
    case 3:
      list(own, 'parameters').splice(choices.below(3), 1);
      break;
    case 4:
      map(own['responses'])[choices.pick(['201', '400', '500'])] = { description: sentence(choices, 2) };
      break;
    case 5:
      delete map(own['responses'])['404'];
      break;
    case 6:
      item[choices.pick(['put', 'delete', 'patch'])] ??= operation(choices, `op${choices.below(1_000_000)}`);
      break;
    case 7:
      target['description'] = sentence(choices, 4);
      break;
    case 8:
      if (target['properties'] !== undefined)
        map(target['properties'])[`extra${choices.below(5)}`] = schema(choices, 1);
      else target['type'] = choices.pick(['string', 'integer', 'array']);
      break;
    case 9:
      Reflect.deleteProperty(paths, path);
      break;
    case 10:
      paths[`/new${choices.below(4)}`] = { get: operation(choices, `new${choices.below(1_000_000)}`) };
      break;
    case 11:
      schemas[`New${choices.below(4)}`] = schema(choices);
      break;
    case 12:
      if (pathNames.length > 2) renameKey(paths, path, `${path}-renamed${choices.below(3)}`);
      break;
    case 13:
      reorder(schemas, choices);
      break;
  }
}

function map(model: Model | undefined): Maps {
  return typeof model === 'object' && !Array.isArray(model) ? model : {};
}

function list(holder: Maps, key: string): Model[] {
  const value = holder[key];
  if (Array.isArray(value)) return value;
  const created: Model[] = [];
  holder[key] = created;
  return created;
}

function changeLine(text: string, choices: Choices): string {
  const lines = text.split('\n');
  lines[choices.below(lines.length)] = sentence(choices, 5);
  return lines.join('\n');
}

function renameKey(maps: Maps, from: string, to: string): void {
  const entries = Object.entries(maps);
  for (const key of Object.keys(maps)) Reflect.deleteProperty(maps, key);
  for (const [key, value] of entries) maps[key === from ? to : key] = value;
}

function reorder(maps: Maps, choices: Choices): void {
  const entries = Object.entries(maps);
  const [moved] = entries.splice(choices.below(entries.length), 1);
  if (moved !== undefined) entries.splice(choices.below(entries.length + 1), 0, moved);
  for (const key of Object.keys(maps)) Reflect.deleteProperty(maps, key);
  for (const [key, value] of entries) maps[key] = value;
}
