import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RevisionHash } from '../../core/ids.ts';
import { applySplices } from '../../core/merge/splices.ts';
import type { Ambient, Merger } from '../../core/ports.ts';
import type { UserProblem, WorkingFiles, WriteOutcome } from '../../core/workingFiles.ts';
import { toRawSplices, type WorkingText } from '../../core/workingText.ts';
import { isErrorWithCode } from '../../node/errorCode.ts';
import { DiskStableReader } from '../../node/files/stableReader.ts';

export interface SourceTargetOptions {
  /** The workspace folder's real path. */
  readonly folder: string;
  readonly ambient: Ambient;
  readonly files: WorkingFiles;
  readonly merger: Merger;
  /** Called before a file is written, with what its text was and will be. */
  readonly expectChange: (source: string, before: RevisionHash | undefined, after: RevisionHash) => void;
}

/** The file that a source keeps in step. */
export class SourceTarget {
  /** Absolute path. */
  readonly file: string;
  readonly #options: SourceTargetOptions;
  readonly #reader: DiskStableReader;
  /** The text after the last merge: what it is a beginning of is probably half-written. */
  #lastText: string | undefined;

  /** @param path relative to the folder, with `/`. */
  constructor(path: string, options: SourceTargetOptions) {
    this.#options = options;
    this.file = join(options.folder, ...path.split('/'));
    this.#reader = new DiskStableReader(options.folder);
  }

  /** Undefined where it is not there. */
  async read(): Promise<WorkingText | undefined | { readonly problem: UserProblem }> {
    const reading = await this.#reader.read(this.file, undefined, this.#lastText);
    if (reading.kind === 'text') return reading.working;
    return reading.kind === 'missing' ? undefined : { problem: reading.problem };
  }

  /** The text alone; undefined where it is not there, or cannot be read now. */
  async text(): Promise<WorkingText | undefined> {
    const reading = await this.read();
    return reading === undefined || 'problem' in reading ? undefined : reading;
  }

  async write(working: WorkingText | undefined, text: string, source: string): Promise<WriteOutcome> {
    const { files, merger, ambient, expectChange } = this.#options;
    if (text === working?.text) return { kind: 'written' };
    const before = working === undefined ? undefined : ambient.hashText(working.text);
    expectChange(source, before, ambient.hashText(text));
    if (working === undefined) {
      const splices = [{ offset: 0, deleteCount: 0, insert: text }];
      return await files.write({ file: this.file, before: undefined, after: text, splices });
    }
    const splices = toRawSplices(working, await merger.diff(working.text, text));
    const after = applySplices(working.raw, splices);
    return await files.write({ file: this.file, before: working.raw, after, splices });
  }

  hasBecome(text: string): void {
    this.#lastText = text;
  }

  /** Another one whenever the file may have changed; undefined where it is not there. */
  async stamp(): Promise<string | undefined> {
    try {
      const { size, mtimeMs, ino } = await stat(this.file);
      return `${size}:${mtimeMs}:${ino}`;
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }
}
