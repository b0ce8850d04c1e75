/** What tests tell the extension with the test models, and what it offers to VS Code. */
export const vendor = 'api-live-sync-tests';
/** Arguments: one `ModelPlay` for each request, the last for all further ones. */
export const playCommand = 'apiLiveSyncTests.model.play';
/** Lets a model that speaks slowly say the rest. */
export const goOnCommand = 'apiLiveSyncTests.model.goOn';
/** Answers with the messages of each request since the last play, as JSON. */
export const requestsCommand = 'apiLiveSyncTests.model.requests';

export interface ModelInfo {
  readonly id: string;
  readonly name: string;
  readonly family: string;
  readonly version: string;
  readonly maxInputTokens: number;
  readonly maxOutputTokens: number;
  readonly capabilities: Readonly<Record<string, boolean>>;
  /** VS Code asks the person before another extension may use it (proposed API, so only while under development). */
  readonly requiresAuthorization?: true;
}

const common = {
  family: 'test',
  version: '1',
  maxInputTokens: 30_000,
  maxOutputTokens: 10_000,
  capabilities: {},
} as const;

export const models: readonly ModelInfo[] = [
  { ...common, id: 'open', name: 'Open Model' },
  { ...common, id: 'guarded', name: 'Guarded Model', requiresAuthorization: true },
];
