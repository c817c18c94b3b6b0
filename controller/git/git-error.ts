/**
 * What git prints when it fails → an `OpError` with a code that people can act on. Git has one exit
 * code for nearly everything, so its text decides; `LC_ALL=C` keeps that text the same everywhere.
 * Server text is part of it and is not trusted: one line, bounded, no control characters, no secret.
 */
import { OpError } from '../base/op-error.js';

/** First match wins: an https server answers 401 with "Authentication failed for 'https://…'". */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/host key verification failed|no \S+ host key is known/i, 'git-host-key'],
  [
    /authentication failed|could not read (username|password)|terminal prompts disabled|permission denied \(|returned error: 40[13]|access denied|invalid credentials/i,
    'git-auth',
  ],
  [
    /repository .*not found|does not appear to be a git repository|no such file or directory|not a git repository|returned error: 404/i,
    'repository-missing',
  ],
  [/couldn't find remote ref|remote branch .* not found/i, 'branch-missing'],
  [/not our ref|unadvertised object/i, 'revision-missing'],
  [/no space left on device|disk quota exceeded/i, 'disk-full'],
  [/git cannot be started/i, 'git-missing'],
];

const messageCharactersMax = 500;

/** The error of a git command that talked to the server and ended with `stderr`. */
export function remoteError(stderr: string, secrets: readonly string[]): OpError {
  const code = patterns.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'git-unreachable';
  return new OpError(code, gitMessage(stderr, secrets));
}

/**
 * The lines of `stderr` that say why (`fatal:`, `error:`, `ssh:`, `ERROR:`), else all, as one line of
 * at most 500 characters with every one of `secrets` and every URL credential replaced.
 */
export function gitMessage(stderr: string, secrets: readonly string[]): string {
  // Progress ends its lines with a carriage return alone.
  const lines = stderr.split(/[\r\n]/).filter((line) => line.trim() !== '');
  const reasons = lines.filter((line) => /^(remote: )?(fatal|error|ssh|host key)\b/i.test(line));
  const text = redact((reasons.length > 0 ? reasons : lines).join('; '), secrets)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would move a terminal's cursor.
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
  return text === '' ? 'git failed without a message' : text.slice(0, messageCharactersMax);
}

/** `text` without any of `secrets` and without the user part of URLs that carry a password or token. */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of secrets.filter((value) => value !== '')) {
    redacted = redacted
      .replaceAll(secret, '[redacted]')
      .replaceAll(encodeURIComponent(secret), '[redacted]');
  }
  return redacted.replace(/(https?:\/\/)[^/\s@]*@/gi, '$1[redacted]@');
}
