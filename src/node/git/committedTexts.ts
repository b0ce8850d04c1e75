import { stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { workingText } from '../../core/workingText.ts';
import { AskedTogether } from './askedTogether.ts';
import { readBlobs } from './blobTexts.ts';
import type { GitCheckout } from './gitCheckout.ts';
import type { GitCommand } from './gitCommand.ts';
import { readIndexEntries, type IndexEntry } from './indexEntries.ts';

/** So many versions of one file are looked at: the newest, which are those that a library may still know. */
const MAX_VERSIONS = 50;
/** A line break would make two names of it, and at a path outside of its folder git gives up altogether. */
const NAME_OF_ITS_OWN = /\n|:\.\.\//;
const OBJECT_NAME = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/**
 * What git has committed: to tell a file that `stash`, `reset` or `checkout` set back from one that somebody edited, and
 * to find what two clones have in common. Runs no filter, hook or other program of the repository; without git on the
 * PATH it knows nothing.
 */
export class CommittedTexts {
  readonly #checkout: GitCheckout;
  readonly #git: GitCommand;
  /** Git sets many files back at once, and each asks for itself. */
  readonly #blobs: AskedTogether<string, string | undefined>;
  readonly #indexEntries: AskedTogether<string, IndexEntry | undefined>;
  #head: { readonly stamp: string; readonly commit: Promise<string | undefined> } | undefined;

  constructor(checkout: GitCheckout, git: GitCommand) {
    this.#checkout = checkout;
    this.#git = git;
    this.#blobs = new AskedTogether((names) => readBlobs(git, names));
    this.#indexEntries = new AskedTogether((paths) => readIndexEntries(git, paths));
  }

  /** Another one whenever git has written its index or moved HEAD: only then can git have set a file back. */
  async stamp(): Promise<string> {
    const { gitDirectory } = this.#checkout;
    const stats = await Promise.all(
      ['index', 'HEAD', join('reftable', 'tables.list')].map((name) =>
        stat(join(gitDirectory, name)).catch(() => undefined),
      ),
    );
    return stats.map((one) => `${one?.mtimeMs ?? 0}:${one?.ino ?? 0}`).join(' ');
  }

  /** The commit that is checked out; undefined before the first one. */
  async head(): Promise<string | undefined> {
    const stamp = await this.stamp();
    // Who creates 3,000 documents asks as often.
    if (this.#head?.stamp !== stamp) {
      this.#head = { stamp, commit: this.#objectName(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}']) };
    }
    return this.#head.commit;
  }

  /** The file as HEAD has it, as a revision; undefined where it is not there. */
  committedText(file: string): Promise<string | undefined> {
    return this.#textAt(`HEAD:${this.#pathOf(file)}`);
  }

  /**
   * The text that git last knew the file to have, and when the file was changed to that. Git notes both in its index
   * whenever it writes a file, or finds it to read as it should: so a file that git set back and somebody edited right
   * after is told from one that was edited as it was.
   */
  async lastSeen(file: string): Promise<{ readonly text: string; readonly modifiedAt: number } | undefined> {
    const { objectName, modifiedAt } = (await this.#indexEntries.ask(this.#pathOf(file))) ?? {};
    if (objectName === undefined || modifiedAt === undefined) return undefined;
    const text = await this.#textAt(objectName);
    return text === undefined ? undefined : { text, modifiedAt };
  }

  /** What the file was in a commit's history, as revisions, newest first, each text once; they are read as they are asked for. */
  async *versions(file: string, commit = 'HEAD'): AsyncGenerator<string> {
    const path = this.#pathOf(file);
    const blobs = new Set([await this.#objectName(['rev-parse', '--quiet', '--verify', `${commit}:${path}`])]);
    const raw = ['log', '--format=', '--raw', '--no-abbrev', '--no-renames', `--max-count=${MAX_VERSIONS}`];
    const { stdout } = await this.#git.run([...raw, commit, '--', path]);
    // :oldMode newMode oldName newName status
    for (const line of stdout.split('\n')) blobs.add(line.split(' ')[3]);
    for (const blob of blobs) {
      const text = blob === undefined || !OBJECT_NAME.test(blob) ? undefined : await this.#textAt(blob);
      if (text !== undefined) yield text;
    }
  }

  /** What these files read like in a commit, by file; those that it does not have, or that git does not give, are left out. */
  async textsAt(commit: string, files: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const texts = new Map<string, string>();
    // It came from a stranger, and must be nothing but a name.
    if (!OBJECT_NAME.test(commit)) return texts;
    // Git gives up altogether where it is asked for something outside of its folder.
    const inside = files
      .map((file) => ({ file, path: this.#pathOf(file) }))
      .filter(({ path }) => !path.startsWith('../'));
    const blobs = await readBlobs(
      this.#git,
      inside.map(({ path }) => `${commit}:${path}`),
    );
    for (const [at, { file }] of inside.entries()) {
      const text = blobs[at];
      if (text !== undefined) texts.set(file, workingText(text).text);
    }
    return texts;
  }

  /**
   * The file as it was where the history of HEAD and that of `commit` part; undefined where this clone does not have that
   * commit, or the file was not there.
   */
  async textAtMergeBase(file: string, commit: string): Promise<string | undefined> {
    // It came from a stranger, and must be nothing but a name.
    if (!OBJECT_NAME.test(commit)) return undefined;
    const base = await this.#objectName(['merge-base', 'HEAD', commit]);
    return base === undefined ? undefined : this.#textAt(`${base}:${this.#pathOf(file)}`);
  }

  #pathOf(file: string): string {
    return relative(this.#checkout.root, file).split(sep).join('/');
  }

  async #objectName(args: readonly string[]): Promise<string | undefined> {
    const name = await this.#git.line(args);
    return name !== undefined && OBJECT_NAME.test(name) ? name : undefined;
  }

  async #textAt(object: string): Promise<string | undefined> {
    const text = NAME_OF_ITS_OWN.test(object) ? await this.#textAlone(object) : await this.#blobs.ask(object);
    return text === undefined ? undefined : workingText(text).text;
  }

  async #textAlone(object: string): Promise<string | undefined> {
    const { code, stdout } = await this.#git.run(['cat-file', 'blob', object]);
    return code === 0 ? stdout : undefined;
  }
}
