import type { GitCommand } from './gitCommand.ts';

const NEWLINE = 0x0a;

/**
 * What git has under these names (`<commit>:<path>`, or an object's), in as few processes as may be; those that it does not
 * have, or that are no files, are undefined, and so are all where git cannot be run.
 */
export async function readBlobs(git: GitCommand, names: readonly string[]): Promise<readonly (string | undefined)[]> {
  // A name with a line break in it would be taken for two.
  const askable = names.filter((name) => !name.includes('\n'));
  const input = askable.map((name) => `${name}\n`).join('');
  const { code, stdout } = await git.run(['cat-file', '--batch'], { input, isBinary: true });
  const isTooMuch = code === undefined && stdout.length > 0;
  if (isTooMuch && askable.length > 1) {
    const half = Math.ceil(names.length / 2);
    return [...(await readBlobs(git, names.slice(0, half))), ...(await readBlobs(git, names.slice(half)))];
  }
  const answers = parseAnswers(Buffer.from(stdout, 'latin1'));
  const byName = new Map(askable.map((name, at) => [name, answers[at]]));
  return names.map((name) => byName.get(name));
}

/** `<oid> <type> <size>\n<content>\n` for what is there, `<name> missing\n` and the like for what is not. */
function parseAnswers(output: Buffer): readonly (string | undefined)[] {
  const answers: (string | undefined)[] = [];
  let at = 0;
  for (let end = output.indexOf(NEWLINE, at); end !== -1; end = output.indexOf(NEWLINE, at)) {
    const header = /^[0-9a-f]{40,64} (\w+) (\d+)$/.exec(output.toString('utf8', at, end));
    at = end + 1;
    if (header === null) {
      answers.push(undefined);
      continue;
    }
    const size = Number(header[2]);
    if (at + size > output.length) break;
    answers.push(header[1] === 'blob' ? output.toString('utf8', at, at + size) : undefined);
    at += size + 1;
  }
  return answers;
}
