/**
 * Text from outside (commit messages, Envoy's errors, answers of servers) made safe to show: a terminal
 * obeys escape sequences, a log line ends at a newline, and a secret in either is read by many.
 */

/** C0 and C1 controls, and the marks that reorder text so that it reads as what it is not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what this is to find.
const controls = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** `text` on one line: white space becomes a space, every other control character `�`. */
export function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(controls, '\ufffd');
}

/** Where secrets hide inside URLs, and what stays of the text when they are gone. */
const urlSecrets: readonly (readonly [RegExp, string])[] = [
  // An https user name alone is often a token; an ssh one never is.
  [/(https?:\/\/)[^\s/@]+@/gi, '$1[redacted]@'],
  [/([a-z][a-z0-9+.-]*:\/\/[^\s/@:]+):[^\s/@]+@/gi, '$1:[redacted]@'],
  // The whole path of a Slack webhook is its secret.
  [/(https:\/\/hooks\.slack(?:-gov)?\.com)\/[^\s"']+/gi, '$1/[redacted]'],
  [/([?&](?:[a-z_-]*token|[a-z_-]*key|sig|signature|secret|password)=)[^&\s"']+/gi, '$1[redacted]'],
];

/** `text` without the credentials of the URLs in it. */
export function redacted(text: string): string {
  return urlSecrets.reduce((rest, [secret, kept]) => rest.replace(secret, kept), text);
}
