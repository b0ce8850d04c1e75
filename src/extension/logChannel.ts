import type * as vscode from 'vscode';
import type { LogFields, Logger } from '../core/ports.ts';

/** A logger on an output channel; the channel's own level decides what is kept. */
export function createChannelLogger(channel: vscode.LogOutputChannel): Logger {
  return {
    trace: (message, fields) => channel.trace(line(message, fields)),
    debug: (message, fields) => channel.debug(line(message, fields)),
    info: (message, fields) => channel.info(line(message, fields)),
    warn: (message, fields) => channel.warn(line(message, fields)),
    error: (message, fields) => channel.error(line(message, fields)),
  };
}

function line(message: string, fields: LogFields | undefined): string {
  if (fields === undefined) return message;
  const facts = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${String(value)}`],
  );
  return facts.length === 0 ? message : `${message} (${facts.join(', ')})`;
}
