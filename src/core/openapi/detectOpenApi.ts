import type { DocumentFormat } from '../merge/types.ts';
import { endOfString, scanJson } from './jsonScan.ts';

export interface DetectedOpenApi {
  /** As written: `3.1.0`, `2.0`. */
  readonly version: string;
  readonly title?: string;
  readonly format: DocumentFormat;
}

/**
 * Whether a text is the root document of an API description: `openapi` or `swagger` at its root. Looks at characters
 * only, so that a folder of large files can be searched; the text need not be valid. Never throws.
 */
export function detectOpenApi(text: string): DetectedOpenApi | undefined {
  const start = text.search(/[^\s\uFEFF]/);
  if (start < 0) return undefined;
  const first = text.charAt(start);
  if (first === '{' || (first === '/' && /^(\/\/|\/\*)/.test(text.slice(start, start + 2)))) {
    const found = detectJson(text, start);
    if (found !== undefined) return found;
  }
  return detectYaml(text);
}

// `openapi: 3.0.3`, `"swagger": '2.0'`: at the margin, where no scalar of the root mapping can stand.
const YAML_VERSION = /^(["']?)(?:openapi|swagger)\1[ \t]*:[ \t]+(["']?)(\d+(?:\.\d+){0,3}[\w.-]*)\2[ \t]*(?:#.*)?\r?$/m;
const YAML_INFO = /^(["']?)info\1[ \t]*:[ \t]*(?:&\S+[ \t]*)?(?:#.*)?\r?$/m;

function detectYaml(text: string): DetectedOpenApi | undefined {
  const match = YAML_VERSION.exec(text);
  if (match?.[3] === undefined) return undefined;
  const title = yamlTitle(text);
  return { version: match[3], format: 'yaml', ...(title === undefined ? {} : { title }) };
}

/** How many lines of `info` are searched for a title; descriptions of hundreds of lines stand before it in real files. */
const MAX_INFO_LINES = 2000;

function yamlTitle(text: string): string | undefined {
  const info = YAML_INFO.exec(text);
  if (info === null) return undefined;
  let start = info.index + info[0].length + 1;
  let indent = -1;
  for (let count = 0; count < MAX_INFO_LINES && start < text.length; count++) {
    const lineFeed = text.indexOf('\n', start);
    const end = lineFeed < 0 ? text.length : lineFeed;
    const line = text.slice(start, end).trimEnd();
    start = end + 1;
    if (line === '' || line.trimStart().startsWith('#')) continue;
    const lineIndent = line.length - line.trimStart().length;
    if (lineIndent === 0) return undefined;
    if (indent < 0) indent = lineIndent;
    if (lineIndent !== indent) continue;
    const title = /^\s*(["']?)title\1\s*:\s+(.*)$/.exec(line)?.[2];
    if (title !== undefined) return unquote(title);
  }
  return undefined;
}

function unquote(scalar: string): string {
  const quoted = /^(["'])(.*)\1\s*(?:#.*)?$/.exec(scalar);
  if (quoted?.[2] !== undefined)
    return quoted[1] === "'" ? quoted[2].replaceAll("''", "'") : parseString(`"${quoted[2]}"`);
  return scalar.replace(/\s+#.*$/, '').trim();
}

function parseString(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    // A title that is no JSON string is shown as it is written: it is a hint for people, nothing depends on it.
    return literal.slice(1, -1);
  }
}

function detectJson(text: string, start: number): DetectedOpenApi | undefined {
  let depth = 0;
  let version: string | undefined;
  let title: string | undefined;
  let inInfo = false;
  for (let i = start; i < text.length && (version === undefined || title === undefined); i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) {
      if (--depth === 0) break;
    } else if (code === 0x2f) i = endOfComment(text, i);
    else if (code === 0x22) {
      const end = endOfString(text, i);
      if (depth === 1 || (depth === 2 && inInfo)) {
        const colon = /^\s*:\s*/.exec(text.slice(end, end + 200));
        if (colon !== null) {
          const key = text.slice(i + 1, end - 1);
          const valueStart = end + colon[0].length;
          const value =
            text.charAt(valueStart) === '"'
              ? parseString(text.slice(valueStart, endOfString(text, valueStart)))
              : undefined;
          if (depth === 1) inInfo = key === 'info';
          if (depth === 1 && (key === 'openapi' || key === 'swagger')) version = value;
          else if (depth === 2 && key === 'title') title = value;
          i = value === undefined ? valueStart - 1 : endOfString(text, valueStart) - 1;
          continue;
        }
      }
      i = end - 1;
    }
  }
  if (version === undefined || !/^\d/.test(version)) return undefined;
  const format = scanJson(text).hasExtensions ? 'jsonc' : 'json';
  return { version, format, ...(title === undefined ? {} : { title }) };
}

function endOfComment(text: string, start: number): number {
  const isBlock = text.charAt(start + 1) === '*';
  const end = text.indexOf(isBlock ? '*/' : '\n', start + 2);
  return end < 0 ? text.length : end + (isBlock ? 1 : 0);
}
