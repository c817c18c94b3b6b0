/**
 * `HOST:PORT` as flags, the environment and the bootstrap spell it. An IPv6 address stands in brackets
 * (RFC 3986, 3.2.2), since its colons could not be told from the port's otherwise.
 */

/** A host (name or IP address, no brackets) and a port, 0 for any free one. */
export interface HostPort {
  readonly address: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** The parts of `text`, or undefined where it is no `HOST:PORT`: a port alone names no host. */
export function parseHostPort(text: string): HostPort | undefined {
  const parts =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)):(\d{1,5})$/.exec(text);
  const [, ipv6, host, digits] = parts ?? [];
  const port = Number(digits);
  if (parts === null || port > 65_535) {
    return undefined;
  }
  if (ipv6 !== undefined) {
    return canonicalIpv6(ipv6) === undefined ? undefined : { address: ipv6, port };
  }
  if (host === undefined || (/^[\d.]+$/.test(host) && !isIpv4(host))) {
    return undefined;
  }
  return { address: host, port };
}

/** The form that `parseHostPort` reads back, and that stands in a URL. */
export function renderHostPort({ address, port }: HostPort): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** True where only this machine reaches `address`. A name other than `localhost` might be anywhere. */
export function isLoopback(address: string): boolean {
  return (
    address === 'localhost' ||
    (isIpv4(address) && address.startsWith('127.')) ||
    canonicalIpv6(address) === '[::1]'
  );
}

/** True for the addresses that mean every address of a machine, at which nobody can be called. */
export function isAnyAddress(address: string): boolean {
  return address === '0.0.0.0' || canonicalIpv6(address) === '[::]';
}

/** True for an IPv4 or IPv6 address, without brackets or zone. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || canonicalIpv6(text) !== undefined;
}

/** One spelling for each IP address; what is none stays as it is. */
export function canonicalAddress(text: string): string {
  return canonicalIpv6(text) ?? text;
}

function isIpv4(text: string): boolean {
  const octets = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split('.') : [];
  return octets.length === 4 && octets.every((octet) => Number(octet) <= 255);
}

/** `text` in the URL standard's one spelling, in brackets; undefined where it is no IPv6 address. */
function canonicalIpv6(text: string): string | undefined {
  const url = text.includes(':') ? `http://[${text}]/` : '';
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
