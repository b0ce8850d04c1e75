import * as vscode from 'vscode';
import * as z from 'zod/mini';

/** The part of the API of VS Code's own git extension that is used here; checked, because it is another program's. */
const apiSchema = z.object({
  git: z.object({ path: z.string().check(z.minLength(1)) }),
  getRepository: z.custom<(uri: vscode.Uri) => unknown>((value) => typeof value === 'function'),
});
const extensionSchema = z.object({
  getAPI: z.custom<(version: 1) => unknown>((value) => typeof value === 'function'),
});
const repositorySchema = z.object({
  fetch: z.custom<() => Promise<void>>((value) => typeof value === 'function'),
});

type GitApi = z.infer<typeof apiSchema>;

/** The git program that the editor found, once its git extension runs; else the one on the PATH. */
export function gitPath(): string {
  return gitApi()?.git.path ?? 'git';
}

/**
 * How the editor fetches for the repository of a folder: it knows the person's credentials, and asks for them. Undefined
 * where it has no git extension or the folder is no repository to it.
 */
export async function repositoryFetch(folder: string): Promise<(() => Promise<void>) | undefined> {
  await vscode.extensions.getExtension('vscode.git')?.activate();
  const api = gitApi();
  const { data } = repositorySchema.safeParse(api?.getRepository(vscode.Uri.file(folder)));
  return data === undefined ? undefined : () => data.fetch();
}

function gitApi(): GitApi | undefined {
  const extension = vscode.extensions.getExtension('vscode.git');
  if (extension?.isActive !== true) return undefined;
  try {
    const exported = extensionSchema.safeParse(extension.exports).data;
    return apiSchema.safeParse(exported?.getAPI(1)).data;
  } catch {
    // It throws where a person has switched git off in the editor.
    return undefined;
  }
}
