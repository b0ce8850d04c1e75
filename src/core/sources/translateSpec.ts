import { detectOpenApi } from '../openapi/detectOpenApi.ts';
import { readPlainDocument } from '../openapi/plainDocument.ts';
import type { DocumentFormat } from '../merge/types.ts';
import type { Checked, Problem } from '../problem.ts';
import type { SourceSelection } from './liveSourceConfig.ts';
import { dataKey, hasAliases } from './plainData.ts';
import { renderPlain, RenderError } from './renderPlain.ts';
import { isWholeSelection, selectParts } from './selectParts.ts';

export interface TranslateOptions {
  /** How the target is written. */
  readonly format: DocumentFormat;
  readonly include: SourceSelection;
  readonly exclude: SourceSelection;
  /** Spaces per level in the target, for what is new in it. */
  readonly indent: number;
}

/**
 * Makes a revision of the target out of what a source answered: checked to be an API description, the selected part of
 * it, and in the target's format. YAML that becomes YAML stays as it is written. Never throws; a problem's message is
 * the rest of the sentence "… answered, but".
 *
 * @param text as it came, with any line ends and BOM.
 */
export function translateSpec(text: string, options: TranslateOptions): Checked<string> {
  const answer = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const detected = detectOpenApi(answer);
  if (detected === undefined) return failed(notASpec(answer));
  const { root, problems } = readPlainDocument(answer, detected.format);
  const error = problems.find((one) => one.severity === 'error');
  if (error !== undefined || root === undefined) return failed(unreadable(answer, error));
  if (root.kind !== 'map') return failed(notASpec(answer));
  const isWhole = isWholeSelection(options.include, options.exclude);
  if (detected.format === 'yaml' && options.format === 'yaml' && isWhole) return { value: answer, problems: [] };
  try {
    const selected = isWhole ? root : selectParts(root, options.include, options.exclude);
    const rendered = renderPlain(selected, {
      format: options.format,
      indent: options.indent,
      maxLength: maxRenderedLength(answer),
    });
    // Read again by another way than it was written: what a source says must not change on its way into the file.
    const again = readPlainDocument(rendered, options.format).root;
    // JSON writes numbers in its own way, and aliases are written out: what was written has to be readable then.
    const isComparable = options.format === 'yaml' && !hasAliases(selected);
    if (again === undefined || (isComparable && dataKey(again) !== dataKey(selected)))
      return failed({ code: 'not-translated', message: 'what it says cannot be written in the format of the file' });
    return { value: rendered, problems: [] };
  } catch (problem) {
    if (!(problem instanceof RenderError)) throw problem;
    return failed({
      code: 'not-translated',
      message: `it cannot be written in the format of the file: ${problem.message}`,
    });
  }
}

/** Indentation and quotes make a minified answer longer, and real aliases stand for little. In UTF-16 units. */
function maxRenderedLength(answer: string): number {
  return 1_000_000 + 6 * answer.length;
}

function failed(problem: Pick<Problem, 'code' | 'message'>): Checked<string> {
  return { value: undefined, problems: [{ ...problem, severity: 'error' }] };
}

function notASpec(text: string): Pick<Problem, 'code' | 'message'> {
  const start = text.trimStart().slice(0, 200);
  if (start === '') return { code: 'answer-empty', message: 'with nothing' };
  if (/^<(!doctype|html|head|body|\?xml|!--)/i.test(start))
    return { code: 'answer-is-a-page', message: 'with a web page instead of an API description' };
  if (start.startsWith('{') && !text.trimEnd().endsWith('}')) return cutOff;
  return { code: 'answer-is-no-spec', message: 'with something that has neither "openapi" nor "swagger" at its root' };
}

function unreadable(text: string, error: Problem | undefined): Pick<Problem, 'code' | 'message'> {
  if (text.trimStart().startsWith('{') && !text.trimEnd().endsWith('}')) return cutOff;
  return {
    code: 'answer-unreadable',
    message: `with a text that cannot be read${error === undefined ? '' : `: ${error.message}`}`,
  };
}

const cutOff = { code: 'answer-cut-off', message: 'with a text that ends in the middle' };
