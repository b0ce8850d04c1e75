import type { AdviceRequest } from '../core/advice/adviceRequest.ts';

/** What is sent, for a person to read: everything, and as it is sent. */
export function requestText(requests: readonly AdviceRequest[], name: string | undefined): string {
  const [first] = requests;
  if (first === undefined) return 'Nothing is sent: what is in conflict is too long.\n';
  const parts = requests.map(({ data }, at) => {
    const title =
      requests.length === 1 ? 'What is in conflict' : `What is in conflict, part ${at + 1} of ${requests.length}`;
    return `## ${title}\n\n${fenced(data)}\n`;
  });
  return `# What is sent${name === undefined ? '' : ` to ${name}`}

Nothing else of your files. If the answer cannot be used, it is sent back once with the reasons.

## Instructions

${fenced(first.instructions)}

${parts.join('\n')}`;
}

/** Texts of others must not end the fence that they stand in. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
