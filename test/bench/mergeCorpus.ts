import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentFormat } from '../../src/core/merge/types.ts';
import { type PlainCache, type PlainNode, readPlainDocument } from '../../src/core/openapi/plainDocument.ts';

/** One merge of the corpus: see the corpus README for what the fields mean. */
export interface MergeCase {
  readonly name: string;
  readonly dir: string;
  readonly extension: string;
  readonly format: DocumentFormat;
  readonly repo: string;
  readonly kind: string;
  /** What `git merge-file` makes of it: conflict, clean_equal, clean_dataequal, clean_diff, clean_invalid. */
  readonly gitClass: string;
  readonly humanFaithful: boolean;
  readonly humanEquals: string;
  readonly determined: boolean;
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly human: string;
}

/** Reads the cases of an unpacked corpus (`DIR/cases`, `INDEX.tsv` there or beside it or given), those whose name has `filter` in it. */
export function* readCases(corpus: string, indexFile: string | undefined, filter: string): Generator<MergeCase> {
  const index = [indexFile, join(corpus, 'INDEX.tsv'), join(corpus, 'cases', 'INDEX.tsv')].find(
    (path) => path !== undefined && existsSync(path),
  );
  const rows = new Map<string, ReadonlyMap<string, string>>();
  if (index !== undefined) {
    const [header = '', ...lines] = readFileSync(index, 'utf8').trimEnd().split(/\r?\n/);
    const names = header.split('\t');
    for (const line of lines) {
      const cells = line.split('\t');
      rows.set(cells[0] ?? '', new Map(names.map((name, column) => [name, cells[column] ?? ''])));
    }
  }
  for (const name of readdirSync(join(corpus, 'cases')).sort()) {
    const dir = join(corpus, 'cases', name);
    if (!name.includes(filter) || !existsSync(join(dir, 'meta.json'))) continue;
    const extension = existsSync(join(dir, 'base.json')) ? 'json' : 'yaml';
    const row = rows.get(name);
    const meta = JSON.parse(readFileSync(join(dir, 'meta.json'), 'utf8')) as {
      repo?: string;
      kind?: string;
      class_?: string;
      human_faithful?: boolean | null;
      human?: { equals?: string };
    };
    // Revisions have LF and no BOM, whatever a copy has.
    const read = (side: string): string => {
      const path = join(dir, `${side}.${extension}`);
      return existsSync(path)
        ? readFileSync(path, 'utf8')
            .replace(/^\uFEFF/, '')
            .replaceAll('\r\n', '\n')
        : '';
    };
    yield {
      name,
      dir,
      extension,
      format: extension === 'json' ? 'json' : 'yaml',
      repo: row?.get('repo') ?? meta.repo ?? '',
      kind: row?.get('kind') ?? meta.kind ?? '',
      gitClass: row?.get('class') ?? meta.class_ ?? '',
      humanFaithful:
        (row?.get('human_faithful') ?? String(meta.human_faithful)) === 'True' || meta.human_faithful === true,
      humanEquals: row?.get('human_equals') ?? meta.human?.equals ?? '',
      determined: row?.get('determined') === 'True',
      base: read('base'),
      ours: read('ours'),
      theirs: read('theirs'),
      human: read('human'),
    };
  }
}

/** The data of a text as one string, keys sorted; undefined where it cannot be read. `unordered` sorts sequences too. */
export function dataOf(
  text: string,
  format: DocumentFormat,
  unordered: boolean,
  cache: PlainCache,
): string | undefined {
  const { root } = readPlainDocument(text, format, cache);
  return root === undefined ? undefined : describe(root, unordered);
}

function describe(node: PlainNode, unordered: boolean): string {
  switch (node.kind) {
    case 'map':
      return `{${[...node.entries]
        .map(([key, value]) => `${JSON.stringify(key)}:${describe(value, unordered)}`)
        .sort()
        .join(',')}}`;
    case 'sequence': {
      const items = node.items.map((item) => describe(item, unordered));
      return `[${(unordered ? items.sort() : items).join(',')}]`;
    }
    case 'scalar':
      return node.isString ? JSON.stringify(node.text) : node.text;
    case 'alias':
      return `*${node.name}`;
  }
}
