import { parsePointer } from './jsonPointer.ts';

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);
const COMPONENT_KINDS = new Map([
  ['schemas', 'schema'],
  ['responses', 'response'],
  ['parameters', 'parameter'],
  ['examples', 'example'],
  ['requestBodies', 'request body'],
  ['headers', 'header'],
  ['securitySchemes', 'security scheme'],
  ['links', 'link'],
  ['callbacks', 'callback'],
  ['pathItems', 'path item'],
  ['definitions', 'schema'],
  ['securityDefinitions', 'security scheme'],
]);
/** Keys that hold named things, with the word for one of them. */
const NAMED = new Map([
  ['responses', 'response'],
  ['properties', 'property'],
  ['headers', 'header'],
  ['content', ''],
  ['callbacks', 'callback'],
  ['examples', 'example'],
  ['links', 'link'],
  ['encoding', 'encoding'],
  ['variables', 'variable'],
  ['patternProperties', 'property'],
]);
const LISTED = new Map([
  ['parameters', 'parameter'],
  ['tags', 'tag'],
  ['servers', 'server'],
  ['required', 'required'],
  ['enum', 'enum value'],
  ['oneOf', 'oneOf'],
  ['anyOf', 'anyOf'],
  ['allOf', 'allOf'],
  ['security', 'security'],
]);

/**
 * A name that a person recognises for the element at a JSON pointer: `PUT /users/{id} · response 200`, `schema Pet · property name`.
 * @param ids the identities of the pointer's segments, where they are known: `tag fleet` says more than `tag 5`.
 */
export function elementLabel(pointer: string, ids: readonly string[] = []): string {
  const segments = parsePointer(pointer);
  const words: string[] = [];
  let i = 0;
  const [first, second, third] = segments;
  if (first === undefined) return 'whole document';
  if ((first === 'paths' || first === 'webhooks' || first === 'x-webhooks') && second !== undefined) {
    const isOperation = third !== undefined && METHODS.has(third);
    words.push(isOperation ? `${third.toUpperCase()} ${second}` : second);
    i = isOperation ? 3 : 2;
  } else if (first === 'components' && second !== undefined) {
    const kind = COMPONENT_KINDS.get(second) ?? second;
    words.push(third === undefined ? kind : `${kind} ${third}`);
    i = 3;
  } else if (second !== undefined && COMPONENT_KINDS.has(first)) {
    words.push(`${COMPONENT_KINDS.get(first) ?? first} ${second}`);
    i = 2;
  }
  while (i < segments.length) {
    const segment = segments[i] ?? '';
    const next = segments[i + 1];
    const named = NAMED.get(segment);
    const listed = LISTED.get(segment);
    if (named !== undefined && next !== undefined) {
      words.push(named === '' ? next : `${named} ${next}`);
      i += 2;
    } else if (listed !== undefined && next !== undefined) {
      words.push(`${listed} ${nameIn(ids[i + 1]) ?? (/^\d+$/.test(next) ? Number(next) + 1 : next)}`);
      i += 2;
    } else {
      words.push(segment);
      i += 1;
    }
  }
  return words.join(' · ');
}

/** The name that an item's identity holds: `in=query&name=limit` is `limit`, `$ref=#/components/parameters/Limit` is `Limit`. */
function nameIn(id: string | undefined): string | undefined {
  const name = id === undefined ? undefined : /(?:^|&)(?:name|url|title|\$ref)=([^&]+)$/.exec(id)?.[1];
  return name === undefined ? undefined : name.slice(name.startsWith('#/') ? name.lastIndexOf('/') + 1 : 0);
}
